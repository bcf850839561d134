// The layer cases of the reference data: what the original computed, from which inputs and parameters.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { hasReference, reference } from './reference.js';

export interface CaseBlob {
  role: string;
  name: string;
  shape: number[];
  offset: number;
}
export interface Case {
  prototxt: string;
  phase: 'TRAIN' | 'TEST';
  blobs: CaseBlob[];
}

export const folder = join(reference, 'reference/layers');
export const names = hasReference
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort()
  : [];
export function loadCase(name: string): { given: Case; values: (blob: CaseBlob) => Float32Array } {
  const given = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Case;
  const bytes = new Uint8Array(readFileSync(join(folder, `${name}.bin`)));
  const values = ({ shape, offset }: CaseBlob) => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    return new Float32Array(bytes.slice(offset, offset + 4 * count).buffer);
  };
  return { given, values };
}

/** The largest |a - b| over the largest |b|, and how many elements differ at all (-0 equals 0). */
export function compare(actual: ArrayLike<number>, expected: ArrayLike<number>) {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  let difference = 0;
  let unequal = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    if (actual[i] === expected[i]) continue;
    unequal++;
    const distance = Math.abs(actual[i] - expected[i]);
    difference = Number.isNaN(distance) ? Infinity : Math.max(difference, distance);
  }
  return { relative: difference === 0 ? 0 : difference / largest, unequal };
}
