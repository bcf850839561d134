// What the tests of the float kernels share: seeded random numbers, and the bound on a sum's rounding.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
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

// A convolution's sizes.
struct WindowShape {
  int64_t n, c, h, w, k, r, s, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group;

  // Any window of at most so many rows and columns, in half of the cases with both alike.
  void take_window(Random& random, int64_t most_rows, int64_t most_columns) {
    const bool square = random.integer(0, 1);
    r = random.integer(1, most_rows);
    s = square ? r : random.integer(1, most_columns);
    stride_h = random.integer(0, 1) ? 1 : random.integer(1, 4);
    stride_w = square ? stride_h : random.integer(1, 3);
    pad_h = random.integer(0, 3);
    pad_w = square ? pad_h : random.integer(0, 4);
    dilation_h = random.integer(0, 3) ? 1 : random.integer(1, 3);
    dilation_w = square ? dilation_h : random.integer(1, 2);
  }
  // Makes the image large enough for one window.
  void hold_window() {
    h = std::max(h, dilation_h * (r - 1) + 1 - 2 * pad_h);
    w = std::max(w, dilation_w * (s - 1) + 1 - 2 * pad_w);
  }
};

// What a gradient's op writes; empty where it was not asked for.
struct Gradients {
  std::vector<float> src_diff, weights_diff, bias_diff;
  // Bit for bit.
  bool operator==(const Gradients& other) const {
    const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
      return x.size() == y.size() && (x.empty() || !std::memcmp(x.data(), y.data(), 4 * x.size()));
    };
    return same(src_diff, other.src_diff) && same(weights_diff, other.weights_diff) &&
           same(bias_diff, other.bias_diff);
  }
};

inline std::vector<float> absolute(std::vector<float> v) {
  for (float& x : v) x = std::fabs(x);
  return v;
}

}  // namespace cases
