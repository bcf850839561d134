import type { Blob } from '../blob/index.js';
import type { NetLayer } from '../graph/index.js';

/** One version of a blob: what a layer wrote, until a layer in place writes the next. */
export interface Value {
  readonly blob: Blob;
  /** Null for a blob that the net was given. */
  readonly producer: NetLayer | null;
  /** More than one for none: a net has Splits. */
  readonly readers: NetLayer[];
  /** Its numbers must be readable after a pass. */
  kept: boolean;
}

/** A net's layers with the values between them. */
export interface Wiring {
  readonly layers: readonly NetLayer[];
  readonly values: readonly Value[];
  bottomsOf(entry: NetLayer): readonly Value[];
  topsOf(entry: NetLayer): readonly Value[];
}

/** Tells the versions of each blob apart. `kept` names the blobs whose last version must stay readable. */
export function wire(layers: readonly NetLayer[], kept: (blob: Blob) => boolean): Wiring {
  const values: Value[] = [];
  const current = new Map<Blob, Value>();
  const bottoms = new Map<NetLayer, Value[]>();
  const tops = new Map<NetLayer, Value[]>();
  const write = (blob: Blob, producer: NetLayer | null): Value => {
    const value: Value = { blob, producer, readers: [], kept: false };
    values.push(value);
    current.set(blob, value);
    return value;
  };
  for (const entry of layers) {
    bottoms.set(
      entry,
      entry.bottom.map((blob) => current.get(blob) ?? write(blob, null)),
    );
    for (const value of bottoms.get(entry)!) value.readers.push(entry);
    tops.set(
      entry,
      entry.top.map((blob) => write(blob, entry)),
    );
  }
  for (const value of current.values()) value.kept = value.readers.length === 0 || kept(value.blob);
  return {
    layers,
    values,
    bottomsOf: (entry) => bottoms.get(entry)!,
    topsOf: (entry) => tops.get(entry)!,
  };
}
