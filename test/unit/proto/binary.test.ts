import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../lib/errors/index.js';
import {
  create,
  decode,
  decodeFile,
  encode,
  encodeFile,
  equals,
  type LayerParameter,
  type MessageName,
} from '../../../lib/proto/index.js';
import { randomMessage, seeded } from './random-message.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ristretto-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const types: MessageName[] = [
  'NetParameter',
  'SolverParameter',
  'Datum',
  'BlobProto',
  'LayerParameter',
  'SolverState',
];

/** A net with blobs larger than the reader's window and than the writer's buffer. */
const net = create('NetParameter', {
  name: 'small',
  layer: [
    {
      name: 'a',
      type: 'Convolution',
      blobs: [{ shape: { dim: [100, 500] }, data: Float32Array.from({ length: 50_000 }, (_, i) => i / 3) }],
    },
    {
      name: 'b',
      type: 'InnerProduct',
      blobs: [{ shape: { dim: [3] }, data: [1, NaN, -0], double_data: [0.1] }],
    },
  ],
});

describe('encode and decode', () => {
  it('give back any message', () => {
    const random = seeded(5);
    for (let round = 0; round < 300; ++round) {
      const message = randomMessage(types[round % types.length]!, random);
      const bytes = encode(message);
      const again = decode(message.$type as MessageName, bytes);
      expect(equals(again, message)).toBe(true);
      expect(Buffer.compare(encode(again), bytes)).toBe(0);
    }
  });

  it('agree with protobufjs', () => {
    const schema = protobuf.loadSync('proto/caffe.proto');
    const random = seeded(6);
    for (let round = 0; round < 100; ++round) {
      const message = randomMessage(types[round % types.length]!, random);
      const type = schema.lookupType(`caffe.${message.$type}`);
      const bytes = encode(message);
      const theirs = type.encode(type.decode(bytes)).finish();
      expect(equals(decode(message.$type as MessageName, theirs), message)).toBe(true);
    }
  });

  it('write negative numbers as ten bytes', () => {
    expect(encode(create('FlattenParameter', { end_axis: -1 }))).toEqual(hex('10 ffffffffffffffffff01'));
    expect(decode('FlattenParameter', hex('10 ffffffffffffffffff01')).end_axis).toBe(-1);
    expect(decode('BlobShape', encode(create('BlobShape', { dim: [-5, 2 ** 40] }))).dim).toEqual([
      -5,
      2 ** 40,
    ]);
  });

  it('read floats that are not packed, in several pieces, and both kinds at once', () => {
    const blob = decode('BlobProto', hex('2d 0000803f 2a 08 00000040 00004040 2d 00008040 2a 00'));
    expect(blob.data).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(decode('BlobShape', hex('08 03 0a 02 04 05')).dim).toEqual([3, 4, 5]);
  });

  it('read alternating single values of two fields in time that grows with their number', () => {
    const pair = hex('2d 0000803f 35 00000040');
    const bytes = new Uint8Array(pair.length * 200_000);
    for (let i = 0; i < 200_000; ++i) bytes.set(pair, i * pair.length);
    const blob = decode('BlobProto', bytes);
    expect([blob.data.length, blob.diff.length, blob.diff[7]]).toEqual([200_000, 200_000, 2]);
  });

  it('take the last of two scalars and merge two messages', () => {
    const layer = decode('LayerParameter', hex('0a 01 61 0a 01 62 ca06 02 1001 ca06 02 1803'));
    expect(layer.name).toBe('b');
  });

  it('merge a message that comes in two pieces', () => {
    const first = encode(create('LayerParameter', { pooling_param: { stride: 2, pad: 1 } }));
    const second = encode(create('LayerParameter', { pooling_param: { stride: 3 } }));
    const pooling = decode('LayerParameter', Buffer.concat([first, second])).pooling_param!;
    expect([pooling.stride, pooling.pad]).toEqual([3, 1]);
  });

  it('drop what the schema does not know, and tell of it', () => {
    const unknown: number[] = [];
    // Field 900: a varint, 8 bytes, text, a group that holds a group, 4 bytes; then Phase 9, which does not exist.
    const bytes = hex(
      '0a0161 a03801 a138 0000000000000000 a238 0178 a338 a338 a038 05 a438 a438 a538 00000000 5009 1a0162',
    );
    const layer = decode('LayerParameter', bytes, { onUnknown: (_, number) => unknown.push(number) });
    expect([layer.name, layer.bottom]).toEqual(['a', ['b']]);
    expect(unknown).toEqual([900, 900, 900, 900, 900, 10]);
    expect(layer.phase).toBe(0);
  });

  it('give bytes as views of the buffer', () => {
    const bytes = encode(create('Datum', { data: Uint8Array.of(1, 2, 3) }));
    expect(decode('Datum', bytes).data.buffer).toBe(bytes.buffer);
  });

  it('refuse to encode what the format cannot hold', () => {
    const layer = create('LayerParameter');
    layer.name = 3 as unknown as string;
    expect(() => encode(layer)).toThrow(/name: a string expected, got 3/);
    expect(() => encode(create('ClipParameter', { min: 1 }))).toThrow(/max is missing/);
    const plain = create('LayerParameter');
    (plain as { pooling_param: unknown }).pooling_param = { stride: 2 };
    expect(() => encode(plain)).toThrow(/make it with create/);
  });
});

describe('files', () => {
  it('give back what was written, and leave nothing else behind', () => {
    const path = join(folder, 'net.caffemodel');
    encodeFile(path, net);
    expect(readdirSync(folder)).toEqual(['net.caffemodel']);
    expect(Buffer.compare(readFileSync(path), encode(net))).toBe(0);
    const again = decodeFile('NetParameter', path);
    expect(equals(again, net)).toBe(true);
    expect(Object.is(again.layer[1]!.blobs[0]!.data[2], -0)).toBe(true);
  });

  it('are read alike wherever the borders of the reading window fall', () => {
    const random = seeded(9);
    const path = join(folder, 'many.caffemodel');
    for (let round = 0; round < 8; ++round) {
      const layer = Array.from({ length: 400 }, () =>
        randomMessage('LayerParameter', random),
      ) as LayerParameter[];
      const many = create('NetParameter', { name: 'x'.repeat(round), layer });
      layer[5]!.blobs.push(create('BlobProto', { data: new Float32Array(5000 + round).fill(round) }));
      layer[6]!.name = 'long '.repeat(10_000 + round);
      encodeFile(path, many);
      expect(equals(decodeFile('NetParameter', path), many)).toBe(true);
    }
  });

  it('may be pipes', () => {
    const path = join(folder, 'pipe');
    const source = join(folder, 'piped.caffemodel');
    encodeFile(source, net);
    spawnSync('mkfifo', [path]);
    // A process of its own: opening a pipe waits for its other end.
    const writer = spawn('sh', ['-c', 'cat "$0" > "$1"', source, path]);
    try {
      expect(equals(decodeFile('NetParameter', path), net)).toBe(true);
    } finally {
      writer.kill();
    }
  });

  it('keep the old content where writing fails', () => {
    const path = join(folder, 'kept.caffemodel');
    writeFileSync(path, 'old');
    const bad = create('NetParameter', { layer: [{ name: 'x' }] });
    (bad.layer[0] as { type: unknown }).type = 3;
    expect(() => encodeFile(path, bad)).toThrow();
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('are refused where they are missing, folders, or empty', () => {
    const empty = join(folder, 'empty.caffemodel');
    writeFileSync(empty, '');
    expect(() => decodeFile('NetParameter', empty)).toThrow(/empty.caffemodel, byte 0: the file is empty/);
    expect(() => decodeFile('NetParameter', folder)).toThrow(/is a folder/);
    expect(() => decodeFile('NetParameter', join(folder, 'none'))).toThrow(/ENOENT/);
  });

  it('are refused at the offset where they are cut off', () => {
    const path = join(folder, 'cut.caffemodel');
    const bytes = encode(net);
    writeFileSync(path, bytes.subarray(0, 100_000));
    expect(() => decodeFile('NetParameter', path)).toThrow(
      /cut.caffemodel, byte 9: a length of \d+ bytes where \d+ are left/,
    );
  });
});

describe('damaged bytes', () => {
  const small = encode(
    create('NetParameter', {
      name: 'n',
      input_dim: [1, 2],
      state: { stage: ['a'] },
      layer: [{ name: 'a', blobs: [{ shape: { dim: [2] }, data: [1, 2] }], clip_param: { min: 0, max: 1 } }],
    }),
  );
  const attempt = (bytes: Uint8Array) => {
    try {
      decode('NetParameter', bytes, { file: 'x' });
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      const { offset } = error as FormatError;
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset).toBeLessThanOrEqual(bytes.length);
      return false;
    }
  };

  it('are refused or read at every cut', () => {
    const whole = Array.from({ length: small.length }, (_, end) => attempt(small.subarray(0, end)));
    expect(whole.filter((ok) => !ok).length).toBeGreaterThan(small.length * 0.8);
  });

  it('are refused or read after every single flipped bit', () => {
    for (let bit = 0; bit < small.length * 8; ++bit) {
      const bytes = small.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      attempt(bytes);
    }
  });

  it('are refused or read when they are random', () => {
    const random = seeded(7);
    for (let round = 0; round < 3000; ++round) {
      attempt(Uint8Array.from({ length: random() * 60 }, () => Math.floor(random() * 256)));
    }
  });

  it.each([
    ['a length beyond the end', '0a ffffffff0f'],
    ['a length in a message beyond it', 'a206 03 0a 05 61'],
    ['a number of eleven bytes', '28 ffffffffffffffffffffff01'],
    ['field number 0', '00 00'],
    ['a wire type that does not exist', '0f'],
    ['the end of a group that was not open', '0c'],
    ['a group that never ends', '0b 08 01'],
    ['deep groups', '0b'.repeat(200)],
    ['floats of a broken length', 'a206 07 3a05 2a03 000000'],
  ])('are refused: %s', (_, text) => {
    expect(() => decode('NetParameter', hex(text))).toThrow(FormatError);
  });
});
