// What the tests of the float kernels share: seeded random numbers, and the bound on a sum's rounding.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

#include "guarded.h"

namespace cases {

struct Random {
  std::mt19937 engine;
  explicit Random(uint32_t seed) : engine(seed) {}
  int64_t integer(int64_t low, int64_t high) { return low + int64_t(engine() % uint64_t(high - low + 1)); }
  float uniform() { return float(int32_t(engine())) * (1.0f / 2147483648.0f); }

  // `whole` gives integers in -3..3, whose products sum exactly in any order.
  guarded::vector<float> values(int64_t count, bool whole) {
    guarded::vector<float> v(count);
    for (float& x : v) x = whole ? float(integer(-3, 3)) : uniform();
    return v;
  }
};

// By how much two float32 sums of `depth` products may differ whose absolute products sum to `magnitude`: the
// rounding errors of n additions behave like a random walk; 4 leaves room for its tail.
inline double sum_tolerance(int64_t depth, double magnitude) {
  return (4.0 + std::sqrt(double(depth))) * std::numeric_limits<float>::epsilon() * (magnitude + 1e-30);
}

// Planes and numbers of channels that end within a vector, the smaller ones several to a vector.
struct PlaneSize {
  int64_t h, w;
};
constexpr PlaneSize kSmallPlanes[] = {{1, 1}, {1, 3}, {2, 2}, {3, 3}, {5, 5}, {7, 7}};
constexpr int64_t kFewChannels[] = {1, 3, 5, 17};
inline PlaneSize small_plane(Random& random) { return kSmallPlanes[random.integer(0, 5)]; }
inline int64_t few_channels(Random& random) { return kFewChannels[random.integer(0, 3)]; }

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
  // A small plane of few channels: 1x1 in half of the cases, depthwise in some.
  static WindowShape small(Random& random) {
    WindowShape s{};
    s.n = random.integer(1, 3);
    s.group = random.integer(0, 2) ? 1 : random.integer(2, 3);
    s.c = s.group * few_channels(random);
    s.k = s.group * few_channels(random);
    if (random.integer(0, 3) == 0) s.group = s.c, s.k = s.c * random.integer(1, 2);
    const PlaneSize plane = small_plane(random);
    s.h = plane.h, s.w = plane.w;
    s.r = s.s = s.stride_h = s.stride_w = s.dilation_h = s.dilation_w = 1;
    s.pad_h = s.pad_w = 0;
    if (random.integer(0, 1)) {
      s.r = random.integer(1, 3), s.s = random.integer(1, 3);
      s.stride_h = random.integer(1, 2), s.stride_w = random.integer(1, 2);
      s.pad_h = random.integer(0, 1), s.pad_w = random.integer(0, 1);
      s.dilation_h = random.integer(1, 2), s.dilation_w = random.integer(1, 2);
    }
    s.hold_window();
    return s;
  }
  // Makes the image large enough for one window.
  void hold_window() {
    h = std::max(h, dilation_h * (r - 1) + 1 - 2 * pad_h);
    w = std::max(w, dilation_w * (s - 1) + 1 - 2 * pad_w);
  }
};

// What a gradient's op writes; empty where it was not asked for.
struct Gradients {
  guarded::vector<float> src_diff, weights_diff, bias_diff;
  // Bit for bit.
  bool operator==(const Gradients& other) const {
    const auto same = [](const guarded::vector<float>& x, const guarded::vector<float>& y) {
      return x.size() == y.size() && (x.empty() || !std::memcmp(x.data(), y.data(), 4 * x.size()));
    };
    return same(src_diff, other.src_diff) && same(weights_diff, other.weights_diff) &&
           same(bias_diff, other.bias_diff);
  }
};

inline guarded::vector<float> absolute(guarded::vector<float> v) {
  for (float& x : v) x = std::fabs(x);
  return v;
}

}  // namespace cases
