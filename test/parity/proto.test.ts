// Every file of Caffe's in the reference data is read; what is written again is the same.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  blobCount,
  blobData,
  blobShape,
  decode,
  encode,
  equals,
  parseText,
  printText,
  readBlobProto,
  readNetBinary,
  readNetText,
  readSolver,
  readSolverState,
} from '../../lib/proto/index.js';
import { caffeEnums } from '../../lib/proto/caffe-table.js';
import { descriptorOf } from '../../lib/proto/message.js';
import { protocDecode, protocEncode, protocMissing } from '../unit/proto/protoc.js';
import { hasReference, reference } from './reference.js';

const files = hasReference
  ? readdirSync(reference, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(reference, join(entry.parentPath, entry.name)))
      .filter((file) => /^(data|reference)\//.test(file))
      .sort()
  : [];
const named = (pattern: RegExp) => files.filter((file) => pattern.test(file));
const solvers = named(/solver[^/]*\.prototxt$/);
const nets = named(/\.prototxt$/).filter((file) => !solvers.includes(file));
const read = (file: string) => readFileSync(join(reference, file));

describe.skipIf(!hasReference)('the reference data (skipped where RISTRETTO_REFERENCE is absent)', () => {
  it('holds files of every kind', () => {
    for (const pattern of [
      /\.prototxt$/,
      /\.caffemodel$/,
      /\.solverstate$/,
      /\.binaryproto$/,
      /layers\/.*\.json$/,
    ]) {
      expect(named(pattern).length, String(pattern)).toBeGreaterThan(0);
    }
  });

  it('agrees with the schema: messages, numbers, labels, types, defaults, enums', () => {
    interface SchemaField {
      name: string;
      number: number;
      label: string;
      type: string;
      packed?: boolean;
      default?: unknown;
    }
    const schema = JSON.parse(read('reference/caffe-schema.json').toString()) as {
      messages: Record<string, { fields: SchemaField[]; enums: Record<string, Record<string, number>> }>;
    };
    for (const [name, { fields, enums }] of Object.entries(schema.messages)) {
      const descriptor = descriptorOf(name);
      expect(descriptor.fields.map((field) => field.name).sort()).toEqual(
        fields.map((field) => field.name).sort(),
      );
      for (const given of fields) {
        const field = descriptor.byName.get(given.name)!;
        const where = `${name}.${given.name}`;
        expect([field.number, field.label, field.packed], where).toEqual([
          given.number,
          given.label,
          given.packed ?? false,
        ]);
        if (given.default === undefined) continue;
        const shown =
          field.type === 'enum' ? field.names!.get(field.defaultValue as number) : field.defaultValue;
        expect(shown, where).toBe(given.default);
      }
      for (const [enumName, values] of Object.entries(enums)) {
        expect(caffeEnums[`${name}_${enumName}`], `${name}.${enumName}`).toEqual(values);
      }
    }
  });

  it.each(nets)('%s: parses, prints, parses to the same', (file) => {
    const net = readNetText(join(reference, file));
    expect(net.layer.length).toBeGreaterThan(0);
    expect(equals(parseText('NetParameter', printText(net)), net)).toBe(true);
  });

  it.each(solvers)('%s: parses, prints, parses to the same', (file) => {
    const solver = readSolver(join(reference, file));
    expect(solver.base_lr).toBeGreaterThan(0);
    expect(equals(parseText('SolverParameter', printText(solver)), solver)).toBe(true);
  });

  it.each(named(/small\/out_.*\.prototxt$/))(
    '%s, which the original printed, is printed the same',
    (file) => {
      const text = read(file).toString();
      expect(printText(parseText('NetParameter', text))).toBe(text);
    },
  );

  it('holds a net in each layer case', () => {
    for (const file of named(/layers\/.*\.json$/)) {
      const { prototxt } = JSON.parse(read(file).toString()) as { prototxt: string };
      const net = parseText('NetParameter', prototxt, { file });
      expect(net.layer.length, file).toBeGreaterThan(0);
      expect(equals(parseText('NetParameter', printText(net)), net), file).toBe(true);
    }
  });

  it.each(named(/\.caffemodel$/))(
    '%s: every blob fits its shape, and the file is encoded to the same bytes',
    (file) => {
      const net = readNetBinary(join(reference, file));
      const blobs = net.layer.flatMap((layer) => layer.blobs);
      expect(blobs.length).toBeGreaterThan(0);
      for (const blob of blobs) expect(blobData(blob).length).toBe(blobCount(blob));
      const bytes = read(file);
      expect(Buffer.compare(encode(decode('NetParameter', bytes)), bytes)).toBe(0);
    },
  );

  it.each(named(/\.solverstate$/))('%s: is encoded to the same bytes', (file) => {
    const state = readSolverState(join(reference, file));
    expect(state.iter).toBeGreaterThan(0);
    for (const blob of state.history) expect(blobData(blob).length).toBe(blobCount(blob));
    expect(Buffer.compare(encode(state), read(file))).toBe(0);
  });

  it.each(named(/\.binaryproto$/))('%s: is encoded to the same bytes', (file) => {
    const blob = readBlobProto(join(reference, file));
    expect(blobShape(blob).length).toBe(4);
    expect(blobData(blob).length).toBe(blobCount(blob));
    expect(Buffer.compare(encode(blob), read(file))).toBe(0);
  });

  it.skipIf(protocMissing)(
    'is encoded and printed as protoc does it (skipped where protoc is not installed)',
    () => {
      for (const [type, list] of [
        ['NetParameter', nets],
        ['SolverParameter', solvers.slice(0, 3)],
      ] as const) {
        for (const file of list) {
          const text = read(file).toString();
          const message = parseText(type, text);
          const bytes = encode(message);
          expect(Buffer.compare(protocEncode(type, text), bytes), file).toBe(0);
          expect(Buffer.compare(protocEncode(type, printText(message)), bytes), file).toBe(0);
          expect(protocDecode(type, bytes), file).toBe(printText(message));
        }
      }
    },
  );

  it.skipIf(protocMissing)(
    'weights print as protoc prints them (skipped where protoc is not installed)',
    () => {
      const bytes = read('reference/small/trained.caffemodel');
      expect(protocDecode('NetParameter', bytes)).toBe(printText(decode('NetParameter', bytes)));
    },
  );
});
