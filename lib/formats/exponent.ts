/** The largest finite float32. */
export const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** The next float32 below `value` rounded to float32, for a finite value of 0 or more. */
export function nextBelow(value: number): number {
  float[0] = value;
  if (float[0] === 0) return -(2 ** -149);
  bits[0]--;
  return float[0];
}

/**
 * ceil(log2 value), exactly, for value > 0: a rounded logarithm is only a first guess, settled by comparing
 * with the powers of two themselves. A float32 logarithm would put 256.00003 at 8; its ceiling is 9.
 */
export function ceilLog2(value: number): number {
  let exponent = Math.ceil(Math.log2(value));
  while (2 ** exponent < value) exponent++;
  while (2 ** (exponent - 1) >= value) exponent--;
  return exponent;
}
