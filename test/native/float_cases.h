// What the tests of the float kernels share: seeded random numbers, and the bound on a sum's rounding.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace cases {

struct Random {
  std::mt19937 engine;
  explicit Random(uint32_t seed) : engine(seed) {}
  int64_t integer(int64_t low, int64_t high) { return low + int64_t(engine() % uint64_t(high - low + 1)); }
  float uniform() { return float(int32_t(engine())) * (1.0f / 2147483648.0f); }

  // `whole` gives integers in -3..3, whose products sum exactly in any order.
  std::vector<float> values(int64_t count, bool whole) {
    std::vector<float> v(count);
    for (float& x : v) x = whole ? float(integer(-3, 3)) : uniform();
    return v;
  }
};

// By how much two float32 sums of `depth` products may differ whose absolute products sum to `magnitude`: the
// rounding errors of n additions behave like a random walk; 4 leaves room for its tail.
inline double sum_tolerance(int64_t depth, double magnitude) {
  return (4.0 + std::sqrt(double(depth))) * std::numeric_limits<float>::epsilon() * (magnitude + 1e-30);
}

inline std::vector<float> absolute(std::vector<float> v) {
  for (float& x : v) x = std::fabs(x);
  return v;
}

}  // namespace cases
