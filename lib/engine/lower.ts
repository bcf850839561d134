import type { Blob } from '../blob/index.js';
import type { NetLayer } from '../graph/index.js';
import { AliasLayer } from '../layers/alias-layer.js';
import { Deconvolution } from '../layers/deconvolution.js';
import { Dropout } from '../layers/dropout.js';
import type { Pooling } from '../layers/pooling.js';
import type { Quantized } from '../layers/quantized.js';
import { SpatialLayer } from '../layers/spatial-layer.js';
import { extent } from '../layers/window.js';
import type { CodeFormat, Rounding } from '../native/index.js';
import { Phase } from '../proto/index.js';
import { codeShapeOf, type CodeShape } from './code-shape.js';
import { decide, type Decision, type ProductFormats } from './decide.js';
import { findEdges, sameFormat, type Edges } from './edges.js';
import { fusePooling } from './fuse-pooling.js';
import { slicesTouched, type FloatSlice, type ProductGeometry, type Step } from './steps.js';
import {
  channelsOf,
  CodeMemory,
  rangeOf,
  slicesOf,
  wholeOf,
  type CodePart,
  type CodeSlice,
  type Stored,
} from './storage.js';
import { wire, type Value, type Wiring } from './values.js';

/** A net as native calls on codes, with the layers between them that compute in float32. */
export interface Lowering {
  readonly wiring: Wiring;
  readonly decisions: ReadonlyMap<NetLayer, Decision>;
  readonly edges: Edges;
  /** In the order in which they run; sources of data are not among them. */
  readonly steps: readonly Step[];
  readonly memories: readonly CodeMemory[];
  /** Where the codes of each value are, as its producer stores them. */
  readonly stored: ReadonlyMap<Value, Stored>;
}

export interface LoweringOptions {
  /** Blobs whose numbers stay readable, besides those that no layer reads. */
  kept?: (blob: Blob) => boolean;
  /** Layers that cannot run on integers, and why. */
  refused?: ReadonlyMap<NetLayer, string>;
  /** Convolutions do the maximum pooling behind them where that pays on a GPU; the codes between are not kept. */
  poolInTiles?: boolean;
}

class Lowerer {
  readonly steps: Step[] = [];
  readonly memories: CodeMemory[] = [];
  readonly stored = new Map<Value, Stored>();
  /** Concats' bottoms that lie in the top already. */
  readonly #inPlace = new Set<Value>();
  readonly #homes = new Map<Value, { memory: CodeMemory; channel: number }>();
  /** Codes of float blobs, and of values in another format than they are stored in, by format. */
  readonly #versions = new Map<object, Map<string, CodeSlice>>();
  /** Float blobs (by the blob that owns their memory) and the codes that were written to them. */
  readonly #written = new Map<Blob, Stored>();
  #rounding: Rounding = 'halfAwayFromZero';

  constructor(
    readonly wiring: Wiring,
    readonly decisions: ReadonlyMap<NetLayer, Decision>,
    readonly edges: Edges,
  ) {
    for (const decision of decisions.values())
      if (decision.kind === 'product') this.#rounding = decision.formats.rounding;
  }

  run(): void {
    for (const entry of this.wiring.layers) {
      if (entry.bottom.length === 0) continue;
      this.#lower(entry, this.decisions.get(entry)!);
      for (const value of this.wiring.topsOf(entry))
        if (value.kept && this.stored.has(value)) this.#materialise(entry, value);
    }
  }

  #lower(entry: NetLayer, decision: Decision): void {
    const [bottom] = this.wiring.bottomsOf(entry);
    const [top] = this.wiring.topsOf(entry);
    switch (decision.kind) {
      case 'product':
        return this.#product(entry, bottom, top, decision.formats);
      case 'relu':
        return this.edges.fused.has(entry) ? this.#carry(entry) : this.#relu(entry, bottom, top);
      case 'carries':
        return this.#carry(entry);
      case 'maxPooling':
        return this.#maxPooling(entry, bottom, top);
      case 'averagePooling':
        return this.#averagePooling(entry, bottom, top);
      case 'concat':
        return this.#concat(entry, top);
      case 'float':
        return this.#float(entry);
    }
  }

  #product(entry: NetLayer, bottom: Value, top: Value, formats: ProductFormats): void {
    const { plain } = entry.layer as Quantized;
    const to = codeShapeOf(top.blob.shape)!;
    const relu = this.edges.relus.has(entry);
    const wish = this.edges.wanted(top);
    const consumer = wish === 'own' || sameFormat(wish, formats.output) ? null : wish;
    const format = consumer ?? formats.output;
    const spatial = plain instanceof SpatialLayer ? plain : null;
    const transposed = plain instanceof Deconvolution;
    // Between spread rows no halo is read.
    const pad = spatial && !transposed ? spatial.geometry.window.pad : { h: 0, w: 0 };
    const src = this.#codesIn(entry, bottom, formats.input, { rows: pad.h, columns: pad.w });
    const dst = this.#store(top, to, [{ channels: to.channels, format, range: rangeOf(format, relu) }]);
    const geometry = spatial ? geometryOf(spatial, transposed) : geometryOfMaps(src.memory.shape);
    const group = spatial?.geometry.group ?? 1;
    this.steps.push({
      kind: 'convolution',
      entry,
      src,
      dst,
      geometry,
      transposed,
      group,
      formats,
      relu,
      consumer,
      pool: null,
    });
  }

  /** A ReLU that no producer applies; it requantises for its readers along the way. */
  #relu(entry: NetLayer, bottom: Value, top: Value): void {
    const from = this.stored.get(bottom)!;
    const wish = this.edges.wanted(top);
    const parts = from.parts.map(({ channels, format }): CodePart => {
      const to = wish === 'own' ? format : wish;
      return { channels, format: to, range: rangeOf(to, true) };
    });
    this.#store(top, from.memory.shape, parts);
    this.#requantiseParts(entry, from, this.stored.get(top)!, true);
  }

  #carry(entry: NetLayer): void {
    const [bottom] = this.wiring.bottomsOf(entry);
    for (const top of this.wiring.topsOf(entry)) this.stored.set(top, this.stored.get(bottom)!);
  }

  #maxPooling(entry: NetLayer, bottom: Value, top: Value): void {
    const from = this.stored.get(bottom)!;
    const dst = this.#store(top, codeShapeOf(top.blob.shape)!, from.parts);
    from.memory.alike(dst.memory);
    this.steps.push({ kind: 'maxPooling', entry, src: wholeOf(from), dst, geometry: windowOf(entry) });
  }

  #averagePooling(entry: NetLayer, bottom: Value, top: Value): void {
    this.#overwritten(top.blob);
    for (const { slice, part, at } of slicesOf(this.stored.get(bottom)!))
      this.steps.push({
        kind: 'averagePooling',
        entry,
        src: slice,
        dst: { blob: top.blob, channel: at, channels: part.channels },
        geometry: windowOf(entry),
        from: part.format,
      });
  }

  #concat(entry: NetLayer, top: Value): void {
    const bottoms = this.wiring.bottomsOf(entry);
    const wish = this.edges.wanted(top);
    const parts = bottoms.flatMap((bottom): readonly CodePart[] => {
      const { parts: own } = this.stored.get(bottom)!;
      if (this.#inPlace.has(bottom) || wish === 'own') return own;
      return own.map(({ channels, range }) => ({
        channels,
        format: wish,
        range: rangeOf(wish, range.low >= 0),
      }));
    });
    this.#store(top, codeShapeOf(top.blob.shape)!, merged(parts));
    const { memory, channel } = this.stored.get(top)!;
    let at = 0;
    for (const [i, bottom] of bottoms.entries()) {
      const from = this.stored.get(bottom)!;
      if (!this.#inPlace.has(bottom)) {
        const own = partsWithin(parts, bottoms, i, this.stored);
        this.#requantiseParts(entry, from, { memory, channel: channel + at, parts: own }, false);
      }
      at += channelsOf(from);
    }
  }

  #float(entry: NetLayer): void {
    for (const bottom of this.wiring.bottomsOf(entry))
      if (this.stored.has(bottom)) this.#materialise(entry, bottom);
    // One that only gives its bottom another name or shape has nothing to run.
    if (!isAlias(entry)) this.steps.push({ kind: 'float', entry });
    if (!isAlias(entry)) for (const { blob } of this.wiring.topsOf(entry)) this.#overwritten(blob);
  }

  /** The numbers of a value's codes in its blob. */
  #materialise(entry: NetLayer, value: Value): void {
    const stored = this.stored.get(value)!;
    const { owner } = value.blob;
    if (this.#written.get(owner) === stored) return;
    this.#overwritten(value.blob);
    this.#written.set(owner, stored);
    for (const { slice, part, at } of slicesOf(stored))
      this.steps.push({
        kind: 'dequantise',
        entry,
        src: slice,
        dst: { blob: value.blob, channel: at, channels: part.channels },
        from: part.format,
      });
  }

  /** What was known of a blob's memory holds no longer. */
  #overwritten(blob: Blob): void {
    this.#written.delete(blob.owner);
    this.#versions.delete(blob.owner);
  }

  /** A value's codes in one format, with what a convolution reads around them. */
  #codesIn(
    entry: NetLayer,
    value: Value,
    format: CodeFormat,
    halo: { rows: number; columns: number },
  ): CodeSlice {
    const stored = this.stored.get(value);
    const slice =
      stored?.parts.every((part) => sameFormat(part.format, format)) === true
        ? wholeOf(stored)
        : this.#version(stored ?? value.blob.owner, value.blob.shape, format, () =>
            stored ? this.#requantised(entry, value, stored, format) : this.#quantised(entry, value, format),
          );
    const { memory } = slice;
    memory.halo = {
      rows: Math.max(memory.halo.rows, halo.rows),
      columns: Math.max(memory.halo.columns, halo.columns),
    };
    return slice;
  }

  /** Made once for all that read it under one shape. */
  #version(of: object, shape: readonly number[], format: CodeFormat, make: () => CodeSlice): CodeSlice {
    let versions = this.#versions.get(of);
    if (!versions) this.#versions.set(of, (versions = new Map()));
    const key = `${format.bitWidth}:${format.fractionalLength}:${shape.join()}`;
    let slice = versions.get(key);
    if (!slice) versions.set(key, (slice = make()));
    return slice;
  }

  #quantised(entry: NetLayer, { blob }: Value, format: CodeFormat): CodeSlice {
    const shape = codeShapeOf(blob.shape) ?? {
      images: blob.shape[0],
      channels: blob.countFrom(1),
      height: 1,
      width: 1,
    };
    const memory = this.#memory(blob.name, shape);
    const range = rangeOf(format, false);
    memory.hold(range);
    const dst: CodeSlice = { memory, channel: 0, channels: shape.channels, range };
    const src: FloatSlice = { blob, channel: 0, channels: shape.channels };
    this.steps.push({ kind: 'quantise', entry, src, dst, format, rounding: this.#rounding });
    return dst;
  }

  #requantised(entry: NetLayer, { blob }: Value, from: Stored, format: CodeFormat): CodeSlice {
    const { shape } = from.memory;
    const channels = channelsOf(from);
    const memory = this.#memory(blob.name, { ...shape, channels });
    const parts = from.parts.map((part): CodePart => ({
      channels: part.channels,
      format,
      range: rangeOf(format, part.range.low >= 0),
    }));
    const to: Stored = { memory, channel: 0, parts };
    for (const { range } of parts) memory.hold(range);
    this.#requantiseParts(entry, from, to, false);
    return wholeOf(to);
  }

  #requantiseParts(entry: NetLayer, from: Stored, to: Stored, relu: boolean): void {
    const targets = slicesOf(to);
    for (const [i, { slice, part }] of slicesOf(from).entries())
      this.steps.push({
        kind: 'requantise',
        entry,
        src: slice,
        dst: targets[i].slice,
        from: part.format,
        format: targets[i].part.format,
        rounding: this.#rounding,
        relu,
      });
  }

  /** Gives a value its place and notes what it holds. */
  #store(value: Value, shape: CodeShape, parts: readonly CodePart[]): CodeSlice {
    const { memory, channel } = this.#home(value, shape);
    for (const { range } of parts) memory.hold(range);
    const stored: Stored = { memory, channel, parts };
    this.stored.set(value, stored);
    return wholeOf(stored);
  }

  /** In the top of a Concat that reads the value, or in memory of its own. */
  #home(value: Value, shape: CodeShape): { memory: CodeMemory; channel: number } {
    const known = this.#homes.get(value);
    if (known) return known;
    const home = this.#slotInConcat(value) ?? { memory: this.#memory(value.blob.name, shape), channel: 0 };
    this.#homes.set(value, home);
    return home;
  }

  #slotInConcat(value: Value): { memory: CodeMemory; channel: number } | null {
    for (const reader of value.readers) {
      const kind = this.decisions.get(reader)!.kind;
      if (kind === 'concat') {
        const bottoms = this.wiring.bottomsOf(reader);
        const index = bottoms.indexOf(value);
        const [top] = this.wiring.topsOf(reader);
        const whole = this.#home(top, codeShapeOf(top.blob.shape)!);
        this.#inPlace.add(value);
        const before = bottoms.slice(0, index).reduce((sum, { blob }) => sum + blob.shape[1], 0);
        return { memory: whole.memory, channel: whole.channel + before };
      }
      if (kind === 'carries' || this.edges.fused.has(reader))
        for (const top of this.wiring.topsOf(reader)) {
          const slot = this.#slotInConcat(top);
          if (slot) return slot;
        }
    }
    return null;
  }

  #memory(name: string, shape: CodeShape): CodeMemory {
    const memory = new CodeMemory(name, shape);
    this.memories.push(memory);
    return memory;
  }
}

/** The parts of a Concat's bottom `index`, out of those of all of them. */
function partsWithin(
  parts: readonly CodePart[],
  bottoms: readonly Value[],
  index: number,
  stored: ReadonlyMap<Value, Stored>,
): readonly CodePart[] {
  const counts = bottoms.map((bottom) => stored.get(bottom)!.parts.length);
  const first = counts.slice(0, index).reduce((sum, count) => sum + count, 0);
  return parts.slice(first, first + counts[index]);
}

/** Neighbours of one format as one part. */
function merged(parts: readonly CodePart[]): CodePart[] {
  const result: CodePart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (!last || !sameFormat(last.format, part.format)) result.push(part);
    else
      result[result.length - 1] = {
        channels: last.channels + part.channels,
        format: part.format,
        range: {
          low: Math.min(last.range.low, part.range.low),
          high: Math.max(last.range.high, part.range.high),
        },
      };
  }
  return result;
}

/**
 * A deconvolution of stride n is a convolution of stride 1 over an input with n - 1 zeros between its rows and
 * columns, with its kernel turned round.
 */
function geometryOf({ geometry: { window } }: SpatialLayer, transposed: boolean): ProductGeometry {
  const { kernel, stride, pad, dilation } = window;
  const around = (axis: 'h' | 'w') =>
    transposed ? extent(kernel[axis], dilation[axis]) - 1 - pad[axis] : pad[axis];
  return {
    kernelH: kernel.h,
    kernelW: kernel.w,
    strideH: transposed ? 1 : stride.h,
    strideW: transposed ? 1 : stride.w,
    padH: around('h'),
    padW: around('w'),
    dilationH: dilation.h,
    dilationW: dilation.w,
    spreadH: transposed ? stride.h : 1,
    spreadW: transposed ? stride.w : 1,
  };
}

/** An inner product is a convolution whose kernel is as large as the maps. */
function geometryOfMaps({ height, width }: CodeShape): ProductGeometry {
  return {
    kernelH: height,
    kernelW: width,
    strideH: 1,
    strideW: 1,
    padH: 0,
    padW: 0,
    dilationH: 1,
    dilationW: 1,
    spreadH: 1,
    spreadW: 1,
  };
}

function isAlias({ layer }: NetLayer): boolean {
  return layer instanceof AliasLayer && !(layer instanceof Dropout && layer.context.phase !== Phase.TEST);
}

function windowOf({ layer }: NetLayer) {
  const { kernel, stride, pad } = (layer as Pooling).geometry;
  return {
    kernelH: kernel.h,
    kernelW: kernel.w,
    strideH: stride.h,
    strideW: stride.w,
    padH: pad.h,
    padW: pad.w,
  };
}

/** Lowers a built net: which layers run on codes, in which formats, from where to where. */
export function lower(layers: readonly NetLayer[], options: LoweringOptions = {}): Lowering {
  const wiring = wire(layers, options.kept ?? (() => false));
  const decisions = decide(wiring, options.refused ?? new Map());
  const edges = findEdges(wiring, decisions);
  const lowerer = new Lowerer(wiring, decisions, edges);
  lowerer.run();
  const { stored } = lowerer;
  const { steps, unused } = options.poolInTiles
    ? fusePooling(lowerer.steps)
    : { steps: lowerer.steps, unused: new Set() };
  for (const [index, step] of steps.entries())
    for (const { memory } of slicesTouched(step)) memory.touch(index);
  const memories = lowerer.memories.filter((memory) => !unused.has(memory));
  return { wiring, decisions, edges, steps, memories, stored };
}
