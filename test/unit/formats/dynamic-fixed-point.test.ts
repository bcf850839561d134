import { describe, expect, it } from 'vitest';
import {
  activationIntegerLength,
  dynamicFixedPoint,
  fractionalLength,
  parameterIntegerLength,
} from '../../../lib/formats/index.js';

const nextFloat = (x: number, step: number): number => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  view.setUint32(0, view.getUint32(0) + step);
  return view.getFloat32(0);
};

describe('integer lengths', () => {
  it('is exact at every power of two of float32 and beside it', () => {
    for (let exponent = -126; exponent <= 127; exponent++) {
      const power = 2 ** exponent;
      expect(activationIntegerLength(power).bits).toBe(exponent);
      expect(activationIntegerLength(nextFloat(power, 1)).bits).toBe(exponent + 1);
      expect(activationIntegerLength(nextFloat(power, -1)).bits).toBe(exponent);
      expect(parameterIntegerLength(power).bits).toBe(exponent + 1);
      expect(parameterIntegerLength(nextFloat(power, 1)).bits).toBe(exponent + 2);
    }
  });

  it('takes denormals', () => {
    expect(activationIntegerLength(2 ** -149).bits).toBe(-149);
    expect(activationIntegerLength(3 * 2 ** -149).bits).toBe(-147);
  });

  it('agrees with the original on SqueezeNet', () => {
    // conv1: inputs up to 151.06, outputs up to about 1500; weights below 1 and above 1/2
    expect(activationIntegerLength(151.061).bits).toBe(8);
    expect(activationIntegerLength(1500).bits).toBe(11);
    expect(parameterIntegerLength(0.7).bits).toBe(1);
    expect(parameterIntegerLength(0.3).bits).toBe(0);
  });

  it('gives zeros a length of 1 and says so', () => {
    expect(activationIntegerLength(0)).toEqual({ bits: 1, allZero: true });
    expect(parameterIntegerLength(0)).toEqual({ bits: 1, allZero: true });
    expect(activationIntegerLength(1)).toEqual({ bits: 0, allZero: false });
  });

  it('refuses what is no magnitude', () => {
    for (const maximum of [NaN, Infinity, -1]) {
      expect(() => activationIntegerLength(maximum)).toThrow(/largest magnitude/);
      expect(() => parameterIntegerLength(maximum)).toThrow(/largest magnitude/);
    }
  });

  it('leaves the rest of the width to the fraction', () => {
    expect(fractionalLength(8, 11)).toBe(-3);
    // No finer and no coarser than a format may be.
    expect(fractionalLength(32, -95)).toBe(126);
    expect(fractionalLength(1, 129)).toBe(-126);
    expect(dynamicFixedPoint(16, 0, 'halfToEven')).toEqual({
      kind: 'dynamicFixedPoint',
      bitWidth: 16,
      fractionalLength: 16,
      rounding: 'halfToEven',
    });
  });
});
