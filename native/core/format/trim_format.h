// The parameters of a number format: what a trim needs to know. The arithmetic is in the files beside this
// one.
#pragma once

#include <cstdint>

namespace ristretto {

enum class FormatKind : uint8_t { none, dynamic_fixed_point, minifloat, integer_power_of_two };

// Every name carries its tie rule (docs/numerics.md, section 2).
enum class Rounding : uint8_t { half_away_from_zero, half_to_even, half_up, floor, stochastic };

struct TrimFormat {
  FormatKind kind = FormatKind::none;
  Rounding rounding = Rounding::half_away_from_zero;
  int bit_width = 32;          // dynamic fixed point: 1..32, sign included
  int fractional_length = 16;  // dynamic fixed point: -126..126
  int mantissa_bits = 23;      // minifloat: 0..31 (more than float32 has is allowed)
  int exponent_bits = 8;       // minifloat: 1..8
  int exponent_min = -8;       // integer power of two
  int exponent_max = -1;       // integer power of two

  explicit operator bool() const { return kind != FormatKind::none; }
};

// Names the random words of a stochastic trim: word(element) depends on these and on nothing else.
struct RandomStream {
  uint64_t seed = 0;
  uint32_t stream = 0;         // FNV-1a-32 of "layer/role"
  uint32_t step = 0;           // training forwards so far
  uint64_t first_element = 0;  // global index of the span's first element
};

}  // namespace ristretto
