// Integer power of two (docs/numerics.md, 4): sign(x) * 2^e with e rounded from log2|x| and clamped.
#pragma once

#include "float_bits.h"
#include "trim_format.h"

namespace ristretto {

struct PowerOfTwo {
  Rounding rounding;
  int exponent_min, exponent_max;

  // float32's mantissa bits of the first number above the square root of 2, which is where log2 rounds up. No
  // float32 is the root itself, so there are no ties and every nearest rule is the same.
  static constexpr uint32_t kAboveRoot = 0x3504F4u;
};

// -126 <= exponent_min <= exponent_max <= 127.
RISTRETTO_HOST_DEVICE PowerOfTwo power_of_two(const TrimFormat& format) {
  return {format.rounding, format.exponent_min, format.exponent_max};
}

RISTRETTO_HOST_DEVICE uint64_t multiply_high(uint64_t a, uint64_t b) {
#if defined(__CUDA_ARCH__)
  return __umul64hi(a, b);
#else
  const uint64_t al = uint32_t(a), ah = a >> 32, bl = uint32_t(b), bh = b >> 32;
  const uint64_t middle = ah * bl + (al * bl >> 32);
  return ah * bh + (middle >> 32) + ((al * bh + uint32_t(middle)) >> 32);
#endif
}

// floor(frac(log2 m) * 2^32) of a mantissa m in [1, 2), given as its 23 bits behind the point: squaring m
// doubles its logarithm, so each square shows the next bit. 63 bits behind the point leave the 32 bits right
// unless the logarithm is within 2^-56 of a multiple of 2^-32.
RISTRETTO_HOST_DEVICE uint32_t log2_fraction(uint32_t mantissa_bits) {
  uint64_t m = uint64_t(FloatBits::kHiddenBit | mantissa_bits) << 40;  // m * 2^63
  uint32_t fraction = 0;
  for (int bit = 0; bit < 32; ++bit) {
    m = multiply_high(m, m);  // m^2 * 2^62, in [2^62, 2^64)
    fraction <<= 1;
    if (m >> 63)
      fraction |= 1;
    else
      m <<= 1;
  }
  return fraction;
}

// The nearest representable real, by its logarithm. Both zeros are positive. A NaN stays one.
RISTRETTO_HOST_DEVICE float power_of_two_trim(float x, const PowerOfTwo& format, uint32_t word) {
  const uint32_t bits = bits_of(x), magnitude = bits & FloatBits::kMagnitude;
  if (is_nan_bits(bits)) return x;
  const uint32_t mantissa = magnitude & FloatBits::kMantissa;
  // Zeros and denormals come out as -127 or -126, at or below every exponent_min.
  int exponent = int(magnitude >> 23) - 127;
  if (format.rounding == Rounding::stochastic)
    exponent += word < log2_fraction(mantissa) ? 1 : 0;
  else if (format.rounding != Rounding::floor)
    exponent += mantissa >= PowerOfTwo::kAboveRoot ? 1 : 0;
  exponent = exponent < format.exponent_min   ? format.exponent_min
             : exponent > format.exponent_max ? format.exponent_max
                                              : exponent;
  const uint32_t sign = magnitude ? bits & FloatBits::kSign : 0;
  return float_of(sign | bits_of(power_of_two_float(exponent)));
}

}  // namespace ristretto
