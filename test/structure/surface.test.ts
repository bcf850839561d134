// The typed native surface (lib/native/surface.ts) equals what the binary says of itself.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { addon } from '../../lib/native/loader.js';

const file = resolve(import.meta.dirname, '../../lib/native/surface.ts');
const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);

const interfaces = new Map<string, ts.InterfaceDeclaration>();
source.forEachChild((node) => {
  if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node);
});

/** Field names of an interface and of those it extends, without the label that every op takes. */
function fieldsOf(name: string): Map<string, boolean> {
  const node = interfaces.get(name);
  if (!node) throw new Error(`surface.ts has no interface ${name}`);
  const fields = new Map<string, boolean>();
  for (const clause of node.heritageClauses ?? [])
    for (const type of clause.types)
      for (const [key, optional] of fieldsOf(type.expression.getText())) fields.set(key, optional);
  for (const member of node.members)
    if (ts.isPropertySignature(member)) fields.set(member.name.getText(), member.questionToken !== undefined);
  fields.delete('label');
  return fields;
}

const typed: Record<string, Record<string, 'required' | 'optional'>> = {};
for (const member of interfaces.get('NativeOps')!.members) {
  if (!ts.isMethodSignature(member)) continue;
  const fields = [...fieldsOf(member.parameters[1].type!.getText())];
  typed[member.name.getText()] = Object.fromEntries(
    fields.map(([name, optional]) => [name, optional ? 'optional' : 'required']),
  );
}

it('names the same ops and fields as the binary, required alike', () => {
  const binary = Object.fromEntries(
    Object.entries(addon.surface).map(([op, fields]) => [
      op,
      Object.fromEntries(
        Object.entries(fields).map(([name, kind]) => [name, kind.endsWith('?') ? 'optional' : 'required']),
      ),
    ]),
  );
  expect(typed).toEqual(binary);
});

it('exports every op that it describes', () => {
  expect(Object.keys(addon.ops).sort()).toEqual(Object.keys(addon.surface).sort());
});
