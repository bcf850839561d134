import type { NetLayer } from '../graph/index.js';
import type { CodeFormat, FixedBound } from '../native/index.js';
import type { Lowering } from './lower.js';
import type { MemoryPlan } from './memory-plan.js';
import type { ParameterStore } from './parameters.js';
import type { Geometry, ProductStep, Step } from './steps.js';
import type { CodeSlice, CodeType } from './storage.js';

/** Codes that a step reads or writes. */
export interface CodesRow {
  shape: [channels: number, height: number, width: number];
  type: CodeType;
  range: [low: number, high: number];
  halo: [rows: number, columns: number];
  /** Channels [first, first + channels) of a tensor of so many: a Concat's; null where it is all of it. */
  slice: { first: number; of: number } | null;
  /** In the arena. */
  byteOffset: number;
  /** Per image, halo not counted. */
  bytes: number;
}

/** One step of a plan, or a layer that computes in float32. */
export interface PlanRow {
  /** The layer, and those that its step does along. */
  layers: string[];
  type: string;
  kernel: string;
  /** Why the layer computes in float32; null for a step on codes. */
  float: string | null;
  src: CodesRow | null;
  dst: CodesRow | null;
  input: CodeFormat | null;
  weights: CodeFormat | null;
  output: CodeFormat | null;
  /** The second requantisation. */
  consumer: CodeFormat | null;
  /** Right shift from the sum to the output, and on to the consumer; negative to the left. */
  shift: number | null;
  consumerShift: number | null;
  bound: FixedBound | null;
  /** Of the codes of weights and bias. */
  weightBytes: number;
  /** Multiply-accumulates of one image. */
  macs: number;
}

export interface PlanDescription {
  rows: PlanRow[];
  /** Images of a batch, and of the parts that it runs in. */
  batch: number;
  part: number;
  integerLayers: number;
  floatLayers: number;
  weightBytes: number;
  macs: number;
  /** Peak of the codes' memory. */
  arenaBytes: number;
}

function codesRow({ memory, channel, channels, range }: CodeSlice): CodesRow {
  const { shape, halo } = memory;
  const whole = channels === shape.channels;
  return {
    shape: [channels, shape.height, shape.width],
    type: memory.type,
    range: [range.low, range.high],
    halo: [halo.rows, halo.columns],
    slice: whole ? null : { first: channel, of: shape.channels },
    byteOffset: memory.offset,
    bytes: (memory.codeBytes / shape.channels) * channels,
  };
}

function windowText({ kernelH, kernelW, strideH, strideW, padH, padW }: Geometry): string {
  const pair = (a: number, b: number) => (a === b ? `${a}` : `${a}x${b}`);
  return (
    `${kernelH}x${kernelW}` +
    (strideH * strideW > 1 ? ` / ${pair(strideH, strideW)}` : '') +
    (padH + padW > 0 ? ` pad ${pair(padH, padW)}` : '')
  );
}

function kernelText(step: Step): string {
  switch (step.kind) {
    case 'convolution': {
      const { dilationH, dilationW } = step.geometry;
      return (
        `${step.transposed ? 'deconvolution' : 'convolution'} ${windowText(step.geometry)}` +
        (step.group > 1 ? `, ${step.group} groups` : '') +
        (step.transposed ? `, input spread ${step.geometry.spreadH}x${step.geometry.spreadW}` : '') +
        (dilationH * dilationW > 1 ? `, dilation ${dilationH}x${dilationW}` : '') +
        (step.relu ? ', ReLU' : '') +
        (step.pool ? `, max pooling ${windowText(step.pool.geometry)}` : '')
      );
    }
    case 'maxPooling':
      return `max pooling ${windowText(step.geometry)}`;
    case 'averagePooling':
      return `average pooling ${windowText(step.geometry)}, to float32`;
    case 'requantise':
      return step.relu ? 'requantise, ReLU' : 'requantise';
    default:
      return step.kind;
  }
}

/** Multiply-accumulates of one image. */
export function macsOf({ src, dst, geometry, group, transposed, pool }: ProductStep): number {
  // Zeros between the rows of a deconvolution's input are not multiplied.
  const { height, width } = pool ?? (transposed ? src : dst).memory.shape;
  return ((dst.channels * height * width * src.channels) / group) * geometry.kernelH * geometry.kernelW;
}

const empty = {
  float: null,
  src: null,
  dst: null,
  input: null,
  weights: null,
  output: null,
  consumer: null,
  shift: null,
  consumerShift: null,
  bound: null,
  weightBytes: 0,
  macs: 0,
} as const;

/** Layers that have no step of their own, by the layer whose step does their work. */
function carriedLayers({ wiring, decisions, steps }: Lowering): Map<NetLayer, NetLayer[]> {
  const withSteps = new Set(steps.map(({ entry }) => entry));
  const doers = new Map<NetLayer, NetLayer>();
  const carried = new Map<NetLayer, NetLayer[]>();
  for (const entry of wiring.layers) {
    const { kind } = decisions.get(entry)!;
    if (withSteps.has(entry) || kind === 'concat' || kind === 'float') continue;
    const { producer } = wiring.bottomsOf(entry)[0];
    const doer = producer && (doers.get(producer) ?? producer);
    if (!doer) continue;
    doers.set(entry, doer);
    carried.set(doer, [...(carried.get(doer) ?? []), entry]);
  }
  return carried;
}

function rowOf(
  step: Step,
  bounds: ReadonlyMap<ProductStep, FixedBound>,
  parameters: ParameterStore,
): Omit<PlanRow, 'layers' | 'type' | 'kernel'> {
  switch (step.kind) {
    case 'convolution': {
      const { input, weights, output } = step.formats;
      return {
        ...empty,
        src: codesRow(step.src),
        dst: codesRow(step.dst),
        input,
        weights,
        output,
        consumer: step.consumer,
        shift: weights.fractionalLength + Math.max(0, input.fractionalLength) - output.fractionalLength,
        consumerShift: step.consumer && output.fractionalLength - step.consumer.fractionalLength,
        bound: bounds.get(step) ?? null,
        weightBytes: parameters.of(step.entry).bytes,
        macs: macsOf(step),
      };
    }
    case 'requantise':
      return {
        ...empty,
        src: codesRow(step.src),
        dst: codesRow(step.dst),
        input: step.from,
        output: step.format,
        shift: step.from.fractionalLength - step.format.fractionalLength,
      };
    case 'maxPooling':
      return { ...empty, src: codesRow(step.src), dst: codesRow(step.dst) };
    case 'quantise':
      return { ...empty, dst: codesRow(step.dst), output: step.format };
    case 'averagePooling':
    case 'dequantise':
      return { ...empty, src: codesRow(step.src), input: step.from };
    case 'float':
      return empty;
  }
}

/** A plan as data: what `ristretto plan` prints. */
export function describePlan(
  lowering: Lowering,
  plan: MemoryPlan,
  bounds: ReadonlyMap<ProductStep, FixedBound>,
  parameters: ParameterStore,
): PlanDescription {
  const { decisions, steps, wiring } = lowering;
  const carried = carriedLayers(lowering);
  const rows: PlanRow[] = [];
  let at = 0;
  for (const entry of wiring.layers) {
    const decision = decisions.get(entry)!;
    let main = true;
    const first = at;
    while (at < steps.length && steps[at].entry === entry) {
      const step = steps[at++];
      const does = step.kind !== 'quantise' && step.kind !== 'dequantise';
      rows.push({
        layers: [entry.name, ...(does && main ? (carried.get(entry) ?? []) : []).map(({ name }) => name)],
        type: entry.type,
        kernel: kernelText(step),
        ...rowOf(step, bounds, parameters),
        float: step.kind === 'float' && decision.kind === 'float' ? decision.reason : null,
      });
      if (does) main = false;
    }
    if (at === first && decision.kind === 'concat')
      rows.push({
        ...empty,
        layers: [entry.name, ...(carried.get(entry) ?? []).map(({ name }) => name)],
        type: entry.type,
        kernel: 'concat, written in place',
      });
  }
  const layers = [...decisions].filter(([entry]) => entry.bottom.length > 0);
  return {
    rows,
    batch: plan.images * plan.parts,
    part: plan.images,
    integerLayers: layers.filter(([, { kind }]) => kind !== 'float').length,
    floatLayers: layers.filter(([, { kind }]) => kind === 'float').length,
    weightBytes: rows.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
    macs: rows.reduce((sum, { macs }) => sum + macs, 0),
    arenaBytes: plan.arenaBytes,
  };
}
