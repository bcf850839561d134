// The operands that products of a lesser precision are made of, for tests.
#pragma once

#include <vector>

#include "core/format/float_bits.h"
#include "device.h"

namespace ristretto::cuda {

// To the nearest number with ten bits of mantissa, ties away from 0, or with seven, ties to even.
inline float rounded(float x, Math math) {
  const uint32_t bits = bits_of(x);
  if (math == Math::tf32) return float_of((bits + 0x1000u) / 0x2000u * 0x2000u);
  if (math == Math::bf16) {
    const uint32_t down = bits / 0x10000u, rest = bits % 0x10000u;
    return float_of((down + (rest > 0x8000u || (rest == 0x8000u && down % 2) ? 1 : 0)) * 0x10000u);
  }
  return x;
}
inline void round_all(guarded::vector<float>& values, Math math) {
  for (float& x : values) x = rounded(x, math);
}

// Sets the device's math while it lives.
class WithMath {
 public:
  explicit WithMath(Math math) { test_context().math = math; }
  ~WithMath() { test_context().math = Math::fp32; }
  WithMath(const WithMath&) = delete;
  WithMath& operator=(const WithMath&) = delete;
};

}  // namespace ristretto::cuda
