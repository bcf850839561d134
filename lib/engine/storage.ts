import type { CodeFormat, CodeLayout } from '../native/index.js';
import { codeCount, type CodeShape } from './code-shape.js';

export type CodeType = CodeLayout['type'];

/** From the narrowest to the widest: a type holds what the ones before it hold. */
const TYPES: readonly { type: CodeType; low: number; high: number; bytes: number }[] = [
  { type: 'i8', low: 0, high: 127, bytes: 1 },
  { type: 'u8', low: -128, high: 127, bytes: 1 },
  { type: 'i16', low: -32768, high: 32767, bytes: 2 },
];

export function bytesOf(type: CodeType): number {
  return TYPES.find((row) => row.type === type)!.bytes;
}

/** Codes that can occur. */
export interface CodeRange {
  low: number;
  high: number;
}

/** All codes of a format; those of a value that is nowhere negative. */
export function rangeOf({ bitWidth }: CodeFormat, nonNegative: boolean): CodeRange {
  const half = 2 ** (bitWidth - 1);
  return { low: nonNegative ? 0 : -half, high: half - 1 };
}

/**
 * Memory for the codes of one value, or of all that a Concat joins; settled when every layer that writes or
 * reads it is known. Codes that cannot be negative lie in 8 bits as they are, others with 128 added: that is
 * what dot products of bytes want for their first operand.
 */
export class CodeMemory {
  halo = { rows: 0, columns: 0 };
  /** First and last step that touches it. */
  first = Infinity;
  last = -1;
  /** Byte offset in the arena. */
  offset = 0;
  #rank = 0;
  #joined: CodeMemory | null = null;

  constructor(
    readonly name: string,
    readonly shape: CodeShape,
  ) {}

  /** The step at `index` writes or reads it. */
  touch(index: number): void {
    this.first = Math.min(this.first, index);
    this.last = Math.max(this.last, index);
  }

  hold({ low, high }: CodeRange): void {
    const rank = TYPES.findIndex((row) => low >= row.low && high <= row.high);
    this.#root.#rank = Math.max(this.#root.#rank, rank);
  }

  /** Both have one type from now on: maximum pooling writes what it reads. */
  alike(other: CodeMemory): void {
    const [a, b] = [this.#root, other.#root];
    if (a === b) return;
    a.#rank = Math.max(a.#rank, b.#rank);
    b.#joined = a;
  }

  get type(): CodeType {
    return TYPES[this.#root.#rank].type;
  }

  /** Elements from one row and one image to the next. */
  get rowStride(): number {
    return (this.shape.width + 2 * this.halo.columns) * this.shape.channels;
  }
  get imageStride(): number {
    return (this.shape.height + 2 * this.halo.rows) * this.rowStride;
  }
  /** Bytes of one image, halo included. */
  get imageBytes(): number {
    return this.imageStride * bytesOf(this.type);
  }
  /** Bytes that are codes of one image. */
  get codeBytes(): number {
    return codeCount(this.shape) * bytesOf(this.type);
  }

  get #root(): CodeMemory {
    return this.#joined ? this.#joined.#root : this;
  }
}

/** Channels in a row that share a format. */
export interface CodePart {
  readonly channels: number;
  readonly format: CodeFormat;
  readonly range: CodeRange;
}

/** Where a value's codes lie, and what they mean. */
export interface Stored {
  readonly memory: CodeMemory;
  /** First channel in the memory. */
  readonly channel: number;
  /** In the order of channels; one, but for a Concat of unlike ones. */
  readonly parts: readonly CodePart[];
}

/** Some channels of a memory: what a kernel sees. */
export interface CodeSlice {
  readonly memory: CodeMemory;
  readonly channel: number;
  readonly channels: number;
  readonly range: CodeRange;
}

export function channelsOf({ parts }: Pick<Stored, 'parts'>): number {
  return parts.reduce((sum, { channels }) => sum + channels, 0);
}

export function union(ranges: readonly CodeRange[]): CodeRange {
  return {
    low: Math.min(...ranges.map(({ low }) => low)),
    high: Math.max(...ranges.map(({ high }) => high)),
  };
}

/** All channels of a value at once. */
export function wholeOf(stored: Stored): CodeSlice {
  return {
    memory: stored.memory,
    channel: stored.channel,
    channels: channelsOf(stored),
    range: union(stored.parts.map(({ range }) => range)),
  };
}

/** The channels of one format after the other. `at` counts from the value's first channel. */
export function slicesOf(stored: Stored): { slice: CodeSlice; part: CodePart; at: number }[] {
  let at = 0;
  return stored.parts.map((part) => {
    const slice = {
      memory: stored.memory,
      channel: stored.channel + at,
      channels: part.channels,
      range: part.range,
    };
    const row = { slice, part, at };
    at += part.channels;
    return row;
  });
}
