// Minifloat (docs/numerics.md, 3): sign, exponent_bits with bias 2^(exponent_bits - 1) - 1, mantissa_bits; no
// infinities, no NaN, no denormals, and the top exponent code is an ordinary one.
#pragma once

#include "float_bits.h"
#include "trim_format.h"

namespace ristretto {

struct Minifloat {
  int dropped_bits;  // of float32's mantissa
  Rounding rounding;
  uint32_t smallest;  // bits of the smallest normal magnitude: below it, before rounding, everything is 0
  uint32_t largest;   // bits of the largest magnitude
};

// mantissa_bits 0..31, exponent_bits 1..8.
RISTRETTO_HOST_DEVICE Minifloat minifloat(int mantissa_bits, int exponent_bits, Rounding rounding) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int dropped = mantissa_bits < 23 ? 23 - mantissa_bits : 0;
  const uint32_t smallest = uint32_t(bias < 127 ? 127 - bias : 1) << 23;
  // Eight exponent bits reach one exponent further than float32: its last finite one is the last here.
  const int top = exponent_bits < 8 ? (1 << exponent_bits) - 1 - bias : 127;
  uint32_t largest = (uint32_t(top + 127) << 23) | (FloatBits::kMantissa >> dropped << dropped);
  // More mantissa than float32 has: the largest value, rounded once to float32, is the next power of two.
  if (mantissa_bits > 23 && exponent_bits < 8) largest += 1;
  return {dropped, rounding, smallest, largest};
}
RISTRETTO_HOST_DEVICE Minifloat minifloat(const TrimFormat& format) {
  return minifloat(format.mantissa_bits, format.exponent_bits, format.rounding);
}

// The nearest representable real; +0 for every zero. A NaN stays one. `word` is the element's random word.
RISTRETTO_HOST_DEVICE float minifloat_trim(float x, const Minifloat& format, uint32_t word) {
  const uint32_t bits = bits_of(x), magnitude = bits & FloatBits::kMagnitude;
  if (is_nan_bits(bits)) return x;
  if (magnitude < format.smallest) return 0.0f;
  const uint32_t sign = bits & FloatBits::kSign;
  const int dropped = format.dropped_bits;
  const uint32_t mantissa = magnitude & FloatBits::kMantissa;
  const uint32_t kept = mantissa >> dropped;
  const uint32_t fraction = dropped ? (mantissa - (kept << dropped)) << (32 - dropped) : 0;
  const uint32_t rounded = uint32_t(round_magnitude(kept, fraction, false, sign != 0, format.rounding, word))
                           << dropped;
  // Added, not put in place: a carry out of the mantissa raises the exponent.
  const uint32_t result = (magnitude - mantissa) + rounded;
  return float_of(sign | (result > format.largest ? format.largest : result));
}

}  // namespace ristretto
