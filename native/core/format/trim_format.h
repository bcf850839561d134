// The parameters of a number format: what a trim needs to know. The arithmetic is in the files beside this
// one.
#pragma once

#include <cstdint>

#include "../random.h"
#include "../rounding.h"

namespace ristretto {

enum class FormatKind : uint8_t { none, dynamic_fixed_point, minifloat, integer_power_of_two };

struct TrimFormat {
  FormatKind kind = FormatKind::none;
  Rounding rounding = Rounding::half_away_from_zero;
  int bit_width = 32;          // dynamic fixed point: 1..32, sign included
  int fractional_length = 16;  // dynamic fixed point: -126..126
  int mantissa_bits = 23;      // minifloat: 0..31 (more than float32 has is allowed)
  int exponent_bits = 8;       // minifloat: 1..8
  int exponent_min = -8;       // integer power of two: -126..127, at most exponent_max
  int exponent_max = -1;

  explicit operator bool() const { return kind != FormatKind::none; }
};

}  // namespace ristretto
