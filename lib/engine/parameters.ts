import { countOf, type Blob } from '../blob/index.js';
import type { NetLayer } from '../graph/index.js';
import { valueVersion } from '../layers/packed.js';
import {
  NativeMemory,
  ops,
  PackedWeights,
  Tensor,
  type NativePackedWeights,
  type NativeStream,
  type NativeTensor,
  type Rounding,
} from '../native/index.js';
import type { ProductStep } from './steps.js';

/** A layer's parameters as codes. */
export interface FixedParameters {
  readonly weights: NativeTensor;
  readonly bias: NativeTensor | null;
  readonly packed: NativePackedWeights;
  readonly version: number;
  /** Bytes of the codes. */
  readonly bytes: number;
  /** The codes as JavaScript sees them. */
  readonly weightCodes: Int8Array | Int16Array;
  readonly biasCodes: Int32Array | null;
}

function versionOf(blobs: readonly Blob[]): string {
  return blobs.map(valueVersion).join(':');
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
    const made: [NetLayer, { from: string; parameters: FixedParameters }][] = [];
    for (const step of steps) {
      const from = versionOf(step.entry.layer.blobs);
      if (this.#made.get(step.entry)?.from === from) continue;
      made.push([step.entry, { from, parameters: this.#quantise(step, stream) }]);
    }
    if (!made.length) return;
    await stream.sync();
    for (const [entry, row] of made) this.#made.set(entry, row);
  }

  #quantise({ entry, formats, geometry, src, group }: ProductStep, stream: NativeStream): FixedParameters {
    const [weights, bias] = entry.layer.blobs;
    const outputs = weights.shape[0];
    const shape = [outputs, src.channels / group, geometry.kernelH, geometry.kernelW];
    const wide = formats.weights.bitWidth > 8;
    const count = countOf(shape);
    const memory = new NativeMemory(count * (wide ? 2 : 1));
    const codes = new Tensor(memory, 0, wide ? 'i16' : 'i8', shape);
    const format = { format: formats.weights, rounding: formats.rounding as Rounding, label: entry.name };
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
      bytes: memory.byteLength + (biasMemory ? biasMemory.byteLength : 0),
      weightCodes: wide ? new Int16Array(memory.arrayBuffer) : new Int8Array(memory.arrayBuffer),
      biasCodes: biasMemory ? new Int32Array(biasMemory.arrayBuffer) : null,
    };
  }
}
