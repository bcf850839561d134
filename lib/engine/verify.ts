import { Blob } from '../blob/index.js';
import { onDevice, ops, type NativeStream } from '../native/index.js';
import { UsageError } from '../errors/index.js';
import { checkArgument, having, required } from '../util/check-options.js';
import type { IntegerNet } from './integer-net.js';
import type { Step } from './steps.js';
import type { CodeSlice } from './storage.js';
import { explainProduct } from './explain.js';

/** Two codes that should be one. */
export interface Mismatch {
  n: number;
  c: number;
  h: number;
  w: number;
  engine: number;
  other: number;
  /** The definition gives the engine's code and float32 could not hold the sum, or somebody is wrong. */
  why: 'inexact float32 sum' | 'bug';
}

/** What a step of the plan wrote, against what another route makes of the same input. */
export interface BlobComparison {
  layer: string;
  step: Exclude<Step['kind'], 'float'>;
  blob: string;
  codes: number;
  mismatches: number;
  bugs: number;
  first: Mismatch | null;
}

/** Numbers of codes (channels first), of as many fractional bits. */
export async function readCodes(net: IntegerNet, slice: CodeSlice, fractionalLength: number): Promise<Blob> {
  const { images, height, width } = slice.memory.shape;
  const shape = [images, slice.channels, height, width];
  const blob = new Blob(slice.memory.name, shape, net.stream.device);
  ops.dequantise(net.stream, {
    src: net.program.codes(slice),
    dst: blob.tensor(),
    fractionalLength,
    label: slice.memory.name,
  });
  await net.stream.sync();
  return blob;
}

/** The same numbers under another shape. */
function as(blob: Blob, shape: readonly number[]): Blob {
  const other = new Blob(blob.name, shape);
  other.shareData(blob);
  return other;
}

function relu(blob: Blob, stream: NativeStream): void {
  ops.unary(stream, { src: blob.tensor(), dst: blob.tensor(), function: 'relu', a: 0 });
}

/** Numbers as codes of a fractional length, for a report. */
function codeOf(value: number, fractionalLength: number): number {
  return value * 2 ** fractionalLength;
}

type Checked = Exclude<Step, { kind: 'float' } | { kind: 'dequantise' }>;

const integerNet = having('an IntegerNet', 'prepare', 'program', 'retains');

/** What the float simulation makes of the numbers that the engine's step read, where the engine wrote them. */
async function simulateStep(
  net: IntegerNet,
  step: Checked,
): Promise<{ simulated: Blob; written: Blob; fractionalLength: number; src: Blob }> {
  const { stream } = net;
  const { layer, bottom, top } = step.entry;
  const fixed = (format: { bitWidth: number; fractionalLength: number }) =>
    ({ kind: 'dynamicFixedPoint', ...format }) as const;
  switch (step.kind) {
    case 'convolution': {
      const { fractionalLength } = step.consumer ?? step.formats.output;
      const src = await readCodes(net, step.src, step.formats.input.fractionalLength);
      const written = await readCodes(net, step.dst, fractionalLength);
      const simulated = new Blob(top[0].name, top[0].shape);
      await layer.forward([as(src, bottom[0].shape)], [simulated], stream);
      if (step.relu) relu(simulated, stream);
      if (step.consumer)
        ops.trim(stream, {
          src: simulated.tensor(),
          dst: simulated.tensor(),
          format: { ...fixed(step.consumer), rounding: step.formats.rounding },
        });
      return { simulated, written, fractionalLength, src };
    }
    case 'quantise': {
      const { fractionalLength } = step.format;
      const written = await readCodes(net, step.dst, fractionalLength);
      const src = step.src.blob;
      const simulated = new Blob(src.name, src.shape);
      const format = { ...fixed(step.format), rounding: step.rounding };
      ops.trim(stream, { src: src.tensor(), dst: simulated.tensor(), format });
      return { simulated, written, fractionalLength, src };
    }
    case 'requantise': {
      const { fractionalLength } = step.format;
      const src = await readCodes(net, step.src, step.from.fractionalLength);
      const written = await readCodes(net, step.dst, fractionalLength);
      const simulated = new Blob(src.name, src.shape);
      simulated.set(src.data);
      if (step.relu) relu(simulated, stream);
      const format = { ...fixed(step.format), rounding: step.rounding };
      ops.trim(stream, { src: simulated.tensor(), dst: simulated.tensor(), format });
      return { simulated, written, fractionalLength, src };
    }
    case 'maxPooling': {
      // Slices of different formats are compared as one: codes are ordered alike in all of them.
      const src = await readCodes(net, step.src, 0);
      const written = await readCodes(net, step.dst, 0);
      const simulated = new Blob(top[0].name, top[0].shape);
      await layer.forward([src], [simulated], stream);
      return { simulated, written, fractionalLength: 0, src };
    }
    case 'averagePooling': {
      const { channel, channels, blob } = step.dst;
      const src = await readCodes(net, step.src, step.from.fractionalLength);
      const [images, , height, width] = blob.shape;
      const simulated = new Blob(blob.name, [images, channels, height, width]);
      await layer.forward([src], [simulated], stream);
      const written = new Blob(blob.name, simulated.shape);
      written.shareData(blob, channel * height * width, blob.countFrom(1));
      return { simulated, written, fractionalLength: step.from.fractionalLength, src };
    }
  }
}

function compare(
  engine: Float32Array,
  other: Float32Array,
  shape: readonly number[],
  fractionalLength: number,
): Omit<Mismatch, 'why'>[] {
  const [, channels = 1, height = 1, width = 1] = shape;
  const found: Omit<Mismatch, 'why'>[] = [];
  for (let i = 0; i < engine.length; i++) {
    if (engine[i] === other[i]) continue;
    const [w, h, c] = [i % width, Math.floor(i / width) % height, Math.floor(i / width / height) % channels];
    found.push({
      n: Math.floor(i / width / height / channels),
      c,
      h,
      w,
      engine: codeOf(engine[i], fractionalLength),
      other: codeOf(other[i], fractionalLength),
    });
  }
  return found;
}

function row(step: Checked, codes: number, mismatches: readonly Mismatch[]): BlobComparison {
  return {
    layer: step.entry.name,
    step: step.kind,
    blob: 'blob' in step.dst ? step.dst.blob.name : step.dst.memory.name,
    codes,
    mismatches: mismatches.length,
    bugs: mismatches.filter(({ why }) => why === 'bug').length,
    first: mismatches[0] ?? null,
  };
}

/**
 * Compares every step of the last pass of a net made with `retain` with the float simulation of that step, fed
 * with the very codes that the step read: a difference does not spread to the layers behind it.
 */
export async function compareWithSimulation(net: IntegerNet): Promise<BlobComparison[]> {
  checkArgument('compareWithSimulation', 'net', net, required(integerNet));
  if (!net.retains)
    throw new UsageError('compareWithSimulation needs a net made with retain: true', { field: 'net' });
  return onDevice(net.stream.device, () => simulateAll(net));
}

async function simulateAll(net: IntegerNet): Promise<BlobComparison[]> {
  const { lowering, parameters } = await net.prepare();
  const rows: BlobComparison[] = [];
  for (const step of lowering.steps) {
    if (step.kind === 'float' || step.kind === 'dequantise') continue;
    const { simulated, written, fractionalLength, src } = await simulateStep(net, step);
    await net.stream.sync();
    const found = compare(written.toArray(), simulated.toArray(), written.shape, fractionalLength);
    const explain =
      found.length && step.kind === 'convolution'
        ? await explainProduct(step, parameters.of(step.entry), src, net.stream)
        : () => 'bug' as const;
    rows.push(
      row(
        step,
        written.count,
        found.map((mismatch) => ({ ...mismatch, why: explain(mismatch) })),
      ),
    );
  }
  return rows;
}

/** Compares every code of the last pass of two nets of one plan: fast kernels and the definitions, say. */
export async function compareNets(net: IntegerNet, other: IntegerNet): Promise<BlobComparison[]> {
  const { lowering } = await net.prepare();
  const { lowering: otherLowering } = await other.prepare();
  const rows: BlobComparison[] = [];
  for (const [index, step] of lowering.steps.entries()) {
    const twin = otherLowering.steps[index];
    if (step.kind === 'float' || step.kind === 'dequantise' || twin.kind !== step.kind) continue;
    const [a, b] = [await readWritten(net, step), await readWritten(other, twin as Checked)];
    const found = compare(a.toArray(), b.toArray(), a.shape, 0);
    rows.push(
      row(
        step,
        a.count,
        found.map((mismatch) => ({ ...mismatch, why: 'bug' as const })),
      ),
    );
  }
  return rows;
}

async function readWritten(net: IntegerNet, { dst }: Checked): Promise<Blob> {
  return 'blob' in dst ? dst.blob : readCodes(net, dst, 0);
}
