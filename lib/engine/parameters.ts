import { countOf, type Blob } from '../blob/index.js';
import type { NetLayer } from '../graph/index.js';
import { valueVersion } from '../layers/packed.js';
import {
  NativeMemory,
  ops,
  PackedWeights,
  Tensor,
  type NativeBuffer,
  type NativePackedWeights,
  type NativeStream,
  type NativeTensor,
} from '../native/index.js';
import type { ProductStep } from './steps.js';

/** A layer's parameters as codes. */
export interface FixedParameters {
  readonly weights: NativeTensor;
  readonly bias: NativeTensor | null;
  readonly packed: NativePackedWeights;
  readonly version: number;
  readonly memory: readonly NativeBuffer[];
  /** Bytes of the codes. */
  readonly bytes: number;
  /** The codes as JavaScript sees them. */
  readonly weightCodes: Int8Array | Int16Array;
  readonly biasCodes: Int32Array | null;
}

function versionOf(blobs: readonly Blob[]): string {
  return blobs.map(valueVersion).join(':');
}

/**
 * Turns a deconvolution's weights, (C, K / group, R, S), into those of the convolution that does its work:
 * (K, C / group, R, S), kernels the other way round.
 */
function turnKernels(codes: Int8Array | Int16Array, shape: readonly number[], group: number): void {
  const [channels, groupOutputs] = shape;
  const taps = countOf(shape, 2);
  const given = codes.slice();
  const groupChannels = channels / group;
  for (let c = 0; c < channels; c++)
    for (let k = 0; k < groupOutputs; k++) {
      const output = Math.floor(c / groupChannels) * groupOutputs + k;
      const to = (output * groupChannels + (c % groupChannels)) * taps;
      const from = (c * groupOutputs + k) * taps;
      for (let tap = 0; tap < taps; tap++) codes[to + tap] = given[from + taps - 1 - tap];
    }
}

/** The codes of every layer's parameters: made once, again when the parameters have changed. */
export class ParameterStore {
  #made = new Map<NetLayer, { from: string; parameters: FixedParameters }>();
  #packs = new Map<NetLayer, NativePackedWeights>();
  #version = 0;

  of(entry: NetLayer): FixedParameters {
    return this.#made.get(entry)!.parameters;
  }

  /** Whether the parameters of some step have changed since they were made codes. */
  stale(steps: readonly ProductStep[]): boolean {
    return steps.some(({ entry }) => this.#made.get(entry)?.from !== versionOf(entry.layer.blobs));
  }

  /** Makes what is missing or stale; resolves when all of it can be read. */
  async make(steps: readonly ProductStep[], stream: NativeStream): Promise<void> {
    const made: {
      entry: NetLayer;
      from: string;
      parameters: FixedParameters;
      turn: boolean;
      group: number;
    }[] = [];
    for (const step of steps) {
      const { entry, transposed: turn, group } = step;
      const from = versionOf(entry.layer.blobs);
      if (this.#made.get(entry)?.from === from) continue;
      made.push({ entry, from, parameters: this.#quantise(step, stream), turn, group });
    }
    if (!made.length) return;
    await stream.sync();
    for (const { entry, from, parameters, turn, group } of made) {
      if (turn) turnKernels(parameters.weightCodes, entry.layer.blobs[0].shape, group);
      const old = this.#made.get(entry)?.parameters;
      this.#made.set(entry, { from, parameters });
      for (const buffer of old?.memory ?? []) buffer.free();
    }
  }

  /** Gives all of their memory back. */
  free(): void {
    for (const { parameters } of this.#made.values()) for (const buffer of parameters.memory) buffer.free();
    for (const packed of this.#packs.values()) packed.free();
    this.#made.clear();
    this.#packs.clear();
  }

  #quantise(
    { entry, formats, geometry, src, dst, group }: ProductStep,
    stream: NativeStream,
  ): FixedParameters {
    const [weights, bias] = entry.layer.blobs;
    const outputs = dst.channels;
    const shape = [outputs, src.channels / group, geometry.kernelH, geometry.kernelW];
    const wide = formats.weights.bitWidth > 8;
    const count = countOf(shape);
    const memory = new NativeMemory(count * (wide ? 2 : 1));
    const codes = new Tensor(memory, 0, wide ? 'i16' : 'i8', shape);
    const format = { format: formats.weights, rounding: formats.rounding, label: entry.name };
    ops.quantiseTensor(stream, { src: weights.tensor(shape), dst: codes, ...format });
    const biasMemory = bias && new NativeMemory(4 * outputs);
    const biasTensor = biasMemory ? new Tensor(biasMemory, 0, 'i32', [outputs]) : null;
    if (biasTensor) ops.quantiseTensor(stream, { src: bias.tensor([outputs]), dst: biasTensor, ...format });
    let packed = this.#packs.get(entry);
    if (!packed) this.#packs.set(entry, (packed = new PackedWeights()));
    return {
      weights: codes,
      bias: biasTensor,
      packed,
      version: ++this.#version,
      memory: biasMemory ? [memory, biasMemory] : [memory],
      bytes: memory.byteLength + (biasMemory ? biasMemory.byteLength : 0),
      weightCodes: wide ? new Int16Array(memory.arrayBuffer) : new Int8Array(memory.arrayBuffer),
      biasCodes: biasMemory ? new Int32Array(biasMemory.arrayBuffer) : null,
    };
  }
}
