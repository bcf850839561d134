import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readDeepCompression } from '../../../lib/proto/index.js';

const folder = mkdtempSync(join(tmpdir(), 'deep-compression-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'net');

const layers = [
  { name: 'first', weights: 40, biases: 2 },
  { name: 'second', weights: 5, biases: 1 },
];

/** Codebook entry i of layer l is l * 1000 + i; entry 0 is 0. */
const codebook = (layer: number) => Float32Array.from({ length: 256 }, (_, i) => (i ? layer * 1000 + i : 0));
const bytesOf = (values: Float32Array | Uint32Array) => Buffer.from(values.buffer);

/** By default weights 0 (code 7), 16 (a filler of value 0) and 17 (code 255) of the first layer, 4 of the second. */
function file({ counts = [3, 1], gaps = [0x0f << 4, 0], book = codebook(0) } = {}): Buffer {
  return Buffer.concat([
    bytesOf(Uint32Array.from(counts)),
    bytesOf(book),
    bytesOf(Float32Array.of(0.5, -0.25)),
    Buffer.of(7, 0, 255),
    Buffer.from(gaps),
    bytesOf(codebook(1)),
    bytesOf(Float32Array.of(3)),
    Buffer.of(1),
    Buffer.of(4),
  ]);
}

function decode(content: Buffer) {
  writeFileSync(path, content);
  return readDeepCompression(path, layers);
}

describe('readDeepCompression', () => {
  it('puts codebook values where the gaps say, the lower half of a byte first', () => {
    const [first, second] = decode(file());
    // Gaps 0, 15, 0: weights 0, 16 and 17.
    const expected = new Float32Array(40);
    [expected[0], expected[17]] = [7, 255];
    expect(first.weights).toEqual(expected);
    expect([...first.biases]).toEqual([0.5, -0.25]);
    expect([...second.weights]).toEqual([0, 0, 0, 0, 1001]);
    expect([...second.biases]).toEqual([3]);
  });

  it('says what is amiss, and where', () => {
    const whole = file();
    expect(() => decode(whole.subarray(0, 5))).toThrow(/net, byte 0: truncated: 8 more bytes/);
    for (const length of [8, 700, whole.length - 1])
      expect(() => decode(whole.subarray(0, length))).toThrow(
        new RegExp(`truncated: ${length} bytes, the counts at its start ask for ${whole.length}`),
      );
    expect(() => decode(Buffer.concat([whole, Buffer.of(0)]))).toThrow(/another net, or corrupt/);
    expect(() => decode(file({ counts: [3, 6] }))).toThrow(
      /byte 4: layer 'second': 6 stored weights, the net's layer has 5/,
    );
    // Gaps 15, 15, 15: the third weight would be the 48th.
    expect(() => decode(file({ gaps: [0xff, 0x0f] }))).toThrow(/layer 'first': weight 48 of 40: corrupt/);
    const book = codebook(0);
    book[9] = NaN;
    expect(() => decode(file({ book }))).toThrow(/byte 8: layer 'first': a value that is no finite number/);
    expect(() => readDeepCompression(join(folder, 'gone'), layers)).toThrow(/gone: cannot be read/);
  });
});
