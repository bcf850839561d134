import { describe, expect, it } from 'vitest';
import { Blob, fill } from '../../../lib/blob/index.js';
import {
  create,
  FillerParameter_VarianceNorm,
  type FillerParameter,
  type Init,
} from '../../../lib/proto/index.js';

function filled(shape: number[], filler: Init<FillerParameter> | null, seed = 7): Float32Array {
  const blob = new Blob('w', shape);
  fill(blob, filler && create('FillerParameter', filler), seed, 'layer/0');
  return blob.data;
}

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: Float32Array) =>
  Math.sqrt(mean(values.map((value) => value * value)) - mean(values) ** 2);

describe('fill', () => {
  it('repeats itself for one seed', () => {
    const gaussian = { type: 'gaussian', std: 1 };
    expect(filled([3, 5], gaussian)).toEqual(filled([3, 5], gaussian));
    expect(filled([3, 5], gaussian)).not.toEqual(filled([3, 5], gaussian, 8));
  });

  it('fills constants, and zeros where there is no filler', () => {
    expect([...filled([3], { type: 'constant', value: 2.5 })]).toEqual([2.5, 2.5, 2.5]);
    expect([...filled([2], null)]).toEqual([0, 0]);
    // The schema's default type is constant 0.
    expect([...filled([2], {})]).toEqual([0, 0]);
  });

  it('draws uniform values in their range', () => {
    const values = filled([20000], { type: 'uniform', min: -1, max: 3 });
    expect(Math.min(...values.slice(0, 9999))).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values.slice(0, 9999))).toBeLessThan(3);
    expect(mean(values)).toBeCloseTo(1, 1);
    expect(deviation(values)).toBeCloseTo(4 / Math.sqrt(12), 1);
  });

  it('draws normal values', () => {
    const values = filled([20000], { type: 'gaussian', mean: 2, std: 0.5 });
    expect(mean(values)).toBeCloseTo(2, 1);
    expect(deviation(values)).toBeCloseTo(0.5, 1);
  });

  it('thins a sparse gaussian out', () => {
    const values = filled([100, 200], { type: 'gaussian', std: 1, sparse: 10 });
    const kept = values.filter((value) => value !== 0).length / values.length;
    expect(kept).toBeGreaterThan(0.08);
    expect(kept).toBeLessThan(0.12);
  });

  it.each([
    [FillerParameter_VarianceNorm.FAN_IN, 50],
    [FillerParameter_VarianceNorm.FAN_OUT, 400],
    [FillerParameter_VarianceNorm.AVERAGE, 225],
  ])('scales xavier and msra by the fan (%i)', (variance_norm, fan) => {
    const shape = [80, 10, 5];
    expect(deviation(filled(shape, { type: 'xavier', variance_norm }))).toBeCloseTo(Math.sqrt(1 / fan), 2);
    expect(deviation(filled(shape, { type: 'msra', variance_norm }))).toBeCloseTo(Math.sqrt(2 / fan), 2);
  });

  it('makes rows that sum to one', () => {
    const values = filled([4, 25], { type: 'positive_unitball' });
    for (let row = 0; row < 4; row++) {
      const part = values.slice(25 * row, 25 * row + 25);
      expect(part.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      expect(Math.min(...part)).toBeGreaterThanOrEqual(0);
    }
  });

  it('makes bilinear kernels', () => {
    const row = [0.25, 0.75, 0.75, 0.25];
    expect([...filled([2, 1, 4, 4], { type: 'bilinear' })]).toEqual(
      [0, 1].flatMap(() => row.flatMap((y) => row.map((x) => x * y))),
    );
    expect(() => filled([2, 1, 4, 5], { type: 'bilinear' })).toThrow(/square/);
  });

  it('names unknown fillers and misplaced fields', () => {
    expect(() => filled([2], { type: 'xavierr' })).toThrow(/'xavierr'.*known are .*xavier/);
    expect(() => filled([2], { type: 'constant', sparse: 3 })).toThrow(/sparse/);
  });
});
