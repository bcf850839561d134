// The formats that benchmarks trim to: fixed point of 8 bits, 4 behind the point; minifloats m3 e4.
#pragma once

#include "core/format/trim_format.h"

namespace ristretto::bench {

inline TrimFormat format_of(FormatKind kind, Rounding rounding) {
  TrimFormat f;
  f.kind = kind;
  f.rounding = rounding;
  f.bit_width = 8;
  f.fractional_length = 4;
  f.mantissa_bits = 3;
  f.exponent_bits = 4;
  return f;
}

}  // namespace ristretto::bench
