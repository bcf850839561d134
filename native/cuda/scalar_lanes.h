// One lane: what a thread of a kernel is to the code that core writes over vectors (core/cpu/trim_lanes.inl).
#pragma once

#include <cmath>
#include <cstdint>

#include "core/format/float_bits.h"
#include "core/host_device.h"

namespace ristretto::cuda {

struct ScalarLanes {
  using F = float;
  using I = uint32_t;
  using M = bool;
  static constexpr int lanes = 1;

  static RISTRETTO_HOST_DEVICE F set1(float x) { return x; }
  static RISTRETTO_HOST_DEVICE I set1i(uint32_t x) { return x; }
  static RISTRETTO_HOST_DEVICE I bits(F v) { return bits_of(v); }
  static RISTRETTO_HOST_DEVICE F floats(I v) { return float_of(v); }

  static RISTRETTO_HOST_DEVICE F add(F a, F b) { return a + b; }
  static RISTRETTO_HOST_DEVICE F sub(F a, F b) { return a - b; }
  static RISTRETTO_HOST_DEVICE F mul(F a, F b) { return a * b; }
  // b where either is a NaN
  static RISTRETTO_HOST_DEVICE F min(F a, F b) { return a < b ? a : b; }
  static RISTRETTO_HOST_DEVICE F max(F a, F b) { return a > b ? a : b; }
  static RISTRETTO_HOST_DEVICE F trunc(F v) { return truncf(v); }
  static RISTRETTO_HOST_DEVICE F floor(F v) { return floorf(v); }
  static RISTRETTO_HOST_DEVICE F nearest_even(F v) { return rintf(v); }
  // floor of 0 <= v < 2^32; anything where v is a NaN
  static RISTRETTO_HOST_DEVICE I to_u32(F v) { return v == v ? I(v) : 0; }

  static RISTRETTO_HOST_DEVICE I add(I a, I b) { return a + b; }
  static RISTRETTO_HOST_DEVICE I negate(I v) { return 0u - v; }
  static RISTRETTO_HOST_DEVICE I both(I a, I b) { return a & b; }
  static RISTRETTO_HOST_DEVICE I either(I a, I b) { return a | b; }
  static RISTRETTO_HOST_DEVICE I exclusive(I a, I b) { return a ^ b; }
  static RISTRETTO_HOST_DEVICE I without(I mask, I v) { return ~mask & v; }
  // 0 where the count is 32
  static RISTRETTO_HOST_DEVICE I shift_left(I v, int count) { return count < 32 ? v << count : 0; }
  static RISTRETTO_HOST_DEVICE I shift_right(I v, int count) { return count < 32 ? v >> count : 0; }
  static RISTRETTO_HOST_DEVICE I min_u32(I a, I b) { return a < b ? a : b; }
  static RISTRETTO_HOST_DEVICE I max_u32(I a, I b) { return a > b ? a : b; }

  static RISTRETTO_HOST_DEVICE M is_nan(F v) { return v != v; }
  static RISTRETTO_HOST_DEVICE M at_least(F a, F b) { return a >= b; }
  static RISTRETTO_HOST_DEVICE M less(I a, I b) { return a < b; }
  static RISTRETTO_HOST_DEVICE I keep(M m, I v) { return m ? v : 0; }
  static RISTRETTO_HOST_DEVICE I drop(M m, I v) { return m ? 0 : v; }
  static RISTRETTO_HOST_DEVICE F select(M m, F yes, F no) { return m ? yes : no; }
};

}  // namespace ristretto::cuda
