// Dynamic fixed point (docs/numerics.md, 1): codes of bit_width bits, fractional_length of them behind the
// point. The arithmetic is on integers, hence exact and the same on every machine.
#pragma once

#include "float_bits.h"
#include "trim_format.h"

namespace ristretto {

struct DynamicFixedPoint {
  int fractional_length;
  Rounding rounding;
  int64_t low, high;  // codes saturate here
  float step;         // the value of code 1
};

// bit_width 1..32, fractional_length -126..126.
RISTRETTO_HOST_DEVICE DynamicFixedPoint dynamic_fixed_point(int bit_width, int fractional_length,
                                                            Rounding rounding) {
  const int64_t codes = int64_t{1} << (bit_width - 1);
  // Below a fractional length of -96 the largest codes have no finite float32 value: saturate at the last
  // that has, floor(largest float32 * 2^fractional_length).
  const int shift = 104 + fractional_length;
  const int64_t mantissa = FloatBits::kHiddenBit | FloatBits::kMantissa;
  const int64_t finite = shift >= 8 ? codes : shift >= 0 ? mantissa << shift : mantissa >> -shift;
  return {fractional_length, rounding, -(finite < codes ? finite : codes),
          finite < codes - 1 ? finite : codes - 1, power_of_two_float(-fractional_length)};
}
RISTRETTO_HOST_DEVICE DynamicFixedPoint dynamic_fixed_point(const TrimFormat& format) {
  return dynamic_fixed_point(format.bit_width, format.fractional_length, format.rounding);
}

// The code of x, which must not be a NaN. `word` is the element's random word (stochastic rounding).
RISTRETTO_HOST_DEVICE int64_t dynamic_fixed_point_code(float x, const DynamicFixedPoint& format,
                                                       uint32_t word) {
  const uint32_t bits = bits_of(x);
  const bool negative = (bits & FloatBits::kSign) != 0;
  const int exponent = int((bits & FloatBits::kMagnitude) >> 23);
  // |x| = mantissa * 2^(max(exponent, 1) - 150); shifted left so far, its integer part is the code's.
  const uint64_t mantissa = (bits & FloatBits::kMantissa) | (exponent ? FloatBits::kHiddenBit : 0);
  const int shift = (exponent ? exponent : 1) - 150 + format.fractional_length;
  uint64_t magnitude;
  if (shift >= 0) {
    magnitude = mantissa << (shift < 32 ? shift : 32);  // beyond every code long before 32
  } else {
    const int right = -shift;
    const uint64_t kept = right < 64 ? mantissa >> right : 0;
    const uint64_t rest = mantissa - (right < 64 ? kept << right : 0);
    const uint32_t fraction = right < 64 ? uint32_t((rest << 32) >> right) : 0;
    const bool inexact =
        right > 32 && (right >= 64 ? rest != 0 : (uint64_t{fraction} << (right - 32)) != rest);
    magnitude = round_magnitude(kept, fraction, inexact, negative, format.rounding, word);
  }
  const int64_t code = negative ? -int64_t(magnitude) : int64_t(magnitude);
  return code < format.low ? format.low : code > format.high ? format.high : code;
}

// Rounded once to float32 where the code has more bits than its mantissa.
RISTRETTO_HOST_DEVICE float dynamic_fixed_point_value(int64_t code, const DynamicFixedPoint& format) {
  return float(code) * format.step;
}

// The nearest representable real; +0 for code 0. A NaN stays one.
RISTRETTO_HOST_DEVICE float dynamic_fixed_point_trim(float x, const DynamicFixedPoint& format,
                                                     uint32_t word) {
  if (is_nan_bits(bits_of(x))) return x;
  return dynamic_fixed_point_value(dynamic_fixed_point_code(x, format, word), format);
}

}  // namespace ristretto
