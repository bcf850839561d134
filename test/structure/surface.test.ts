// The typed native surface (lib/native/ops.ts, choices.ts) equals what the binary says of itself: names, order, kinds
// and choices. The types are generated; what is read here is what they say, whoever wrote them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { addon } from '../../lib/native/loader.js';

const root = resolve(import.meta.dirname, '../..');
const parse = (file: string) =>
  ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2023, true);
const opsFile = parse('lib/native/ops.ts');
const choicesFile = parse('lib/native/choices.ts');

const interfaces = new Map<string, ts.InterfaceDeclaration>();
opsFile.forEachChild((node) => {
  if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node);
});

/** The kind of field that a type says, by what stands in the source. */
const kinds: Record<string, string[]> = {
  NativeTensor: ['tensor'],
  'NativeTensor | null': ['tensor?'],
  'readonly NativeTensor[]': ['tensor[]'],
  NativeCodeTensor: ['codes'],
  CodeFormat: ['codeFormat'],
  'CodeFormat | null': ['codeFormat?'],
  'Rounding | null': ['rounding?'],
  // TypeScript has one type for both.
  number: ['integer', 'integer?', 'number', 'number?'],
  'readonly number[]': ['integer[]', 'number[]?'],
  boolean: ['boolean?'],
  'TrimFormat | null': ['trimFormat?'],
  'RandomStream | null': ['randomStream?'],
  'NativePackedWeights | null': ['packed?'],
  'readonly ElementwiseStep[]': ['step[]'],
};

interface TypedField {
  name: string;
  type: string;
  optional: boolean;
}

/** Fields of an interface in their order; the label comes with the base that all have. */
function fieldsOf(name: string): TypedField[] {
  const node = interfaces.get(name);
  if (!node) throw new Error(`ops.ts has no interface ${name}`);
  expect(node.heritageClauses?.map((clause) => clause.getText())).toEqual(['extends Labelled']);
  return node.members.filter(ts.isPropertySignature).map((member) => ({
    name: member.name.getText(),
    type: member.type!.getText(),
    optional: member.questionToken !== undefined,
  }));
}

const methods = interfaces.get('NativeOps')!.members.filter(ts.isMethodSignature);

it('names the same ops as the binary, in the same order, each with a function', () => {
  expect(methods.map((method) => method.name.getText())).toEqual(Object.keys(addon.surface));
  expect(Object.keys(addon.ops)).toEqual(Object.keys(addon.surface));
});

it.each(methods.map((method) => [method.name.getText(), method] as const))(
  '%s takes the same fields as in the binary: names, order, kinds, choices',
  (op, method) => {
    const typed = fieldsOf(method.parameters[1].type!.getText());
    const binary = Object.entries(addon.surface[op]);
    expect(typed.map(({ name }) => name)).toEqual(binary.map(([name]) => name));
    for (const [i, { name, type, optional }] of typed.entries()) {
      const kind = binary[i][1];
      expect({ name, optional }).toEqual({ name, optional: kind.endsWith('?') });
      if (kind === 'choice')
        expect({ name, type }).toEqual({ name, type: addon.surfaceFieldChoices[op][name] });
      else expect(kinds[type], `${op}.${name}: ${type}`).toContain(kind);
    }
  },
);

it('has the same names to choose from as the binary', () => {
  const typed: Record<string, string[]> = {};
  choicesFile.forEachChild((node) => {
    if (!ts.isTypeAliasDeclaration(node)) return;
    const members = ts.isUnionTypeNode(node.type) ? [...node.type.types] : [node.type];
    typed[node.name.text] = members.map((member) => {
      if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal))
        throw new Error(`${node.name.text} is not a union of names`);
      return member.literal.text;
    });
  });
  const binary = Object.fromEntries(
    Object.entries(addon.surfaceChoices).map(([type, { names }]) => [type, names]),
  );
  expect(typed).toEqual(binary);
});

it('the generated types and the table of docs/kernels.md are those of the binary', () => {
  const result = spawnSync(process.execPath, [join(root, 'scripts/generate-native-ops.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect(result.stderr).toBe('');
  expect(result.status).toBe(0);
});
