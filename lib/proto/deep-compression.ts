import { FormatError } from '../errors/index.js';
import {
  checkArgument,
  listOf,
  path as pathKind,
  record,
  required,
  text,
  whole,
} from '../util/check-options.js';
import { ByteSource } from './byte-source.js';

/** Values that a layer's weights take. */
const CODEBOOK_SIZE = 256;

/** What the file does not say of a layer: how many weights and biases it has. */
export interface CompressedLayer {
  name: string;
  weights: number;
  biases: number;
}

const layersKind = listOf(
  record({ name: required(text), weights: required(whole(0)), biases: required(whole(0)) }),
);

export interface DecompressedLayer {
  weights: Float32Array;
  biases: Float32Array;
}

function readFloats(source: ByteSource, count: number): Float32Array {
  const values = new Float32Array(count);
  source.readInto(new Uint8Array(values.buffer));
  return values;
}

function readLayer(
  source: ByteSource,
  { name, weights: size, biases: biasCount }: CompressedLayer,
  entries: number,
): DecompressedLayer {
  const start = source.offset;
  const codebook = readFloats(source, CODEBOOK_SIZE);
  const biases = readFloats(source, biasCount);
  for (const values of [codebook, biases])
    if (!values.every(Number.isFinite))
      source.fail(
        `layer '${name}': a value that is no finite number: not the net's layers, or corrupt`,
        start,
      );
  const codes = source.bytes(entries);
  const gapsAt = source.offset;
  const gaps = source.bytes(Math.ceil(entries / 2));
  const weights = new Float32Array(size);
  let position = -1;
  for (let i = 0; i < entries; i++) {
    position += ((gaps[i >> 1] >> (4 * (i & 1))) & 15) + 1;
    if (position >= size)
      source.fail(`layer '${name}': weight ${position + 1} of ${size}: corrupt`, gapsAt + (i >> 1));
    weights[position] = codebook[codes[i]];
  }
  return { weights, biases };
}

/**
 * Reads a file of the Deep Compression release of SqueezeNet (S. Han et al., ICLR 2016): the number of stored
 * weights of every layer, then for each layer a codebook of 256 floats, the biases, a byte of codebook index for
 * each stored weight, and the gaps between stored weights in 4 bits, the lower half of a byte first. Where a gap is
 * wider than 16 a weight of value 0 is stored in it. The file says nothing about the layers themselves.
 */
export function readDeepCompression(path: string, layers: readonly CompressedLayer[]): DecompressedLayer[] {
  checkArgument('readDeepCompression', 'path', path, required(pathKind));
  checkArgument('readDeepCompression', 'layers', layers, required(layersKind));
  return ByteSource.withFile(path, (source) => {
    const header = source.bytes(4 * layers.length);
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const entries = layers.map((_, i) => view.getUint32(4 * i, true));
    let expected = header.byteLength;
    for (const [i, { name, weights, biases }] of layers.entries()) {
      if (entries[i] > weights)
        source.fail(
          `layer '${name}': ${entries[i]} stored weights, the net's layer has ${weights}: another net, or corrupt`,
          4 * i,
        );
      expected += 4 * (CODEBOOK_SIZE + biases) + entries[i] + Math.ceil(entries[i] / 2);
    }
    if (source.byteLength !== expected)
      throw new FormatError(
        source.byteLength < expected
          ? `truncated: ${source.byteLength} bytes, the counts at its start ask for ${expected}`
          : `${source.byteLength} bytes, the counts at its start ask for ${expected}: another net, or corrupt`,
        { file: path },
      );
    return layers.map((layer, i) => readLayer(source, layer, entries[i]));
  });
}
