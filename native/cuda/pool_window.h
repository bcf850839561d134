// Windows of a pooling as kernels meet them: a thread's window from its number, and what a window's values
// come to, in the processor's order.
#pragma once

#include <algorithm>
#include <cfloat>

#include "core/op/pooling/sampled_window.h"
#include "core/random.h"
#include "divisor.h"
#include "lanes.h"

namespace ristretto::cuda {

struct PoolShape {
  int64_t height, width, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  Divisor rows, columns, channels;  // of windows; of planes
  int64_t windows;                  // of all planes
};

// Of PoolingArguments and PoolingGradientArguments.
template <class Arguments>
PoolShape pool_shape(const Arguments& a, const Tensor& image, const Tensor& windows) {
  PoolShape s{};
  s.height = image.dim[2], s.width = image.dim[3];
  s.kernel_h = a.kernel_h, s.kernel_w = a.kernel_w;
  s.stride_h = a.stride_h, s.stride_w = a.stride_w;
  s.pad_h = a.pad_h, s.pad_w = a.pad_w;
  s.rows = Divisor(std::max<int64_t>(1, windows.dim[2]));
  s.columns = Divisor(std::max<int64_t>(1, windows.dim[3]));
  s.channels = Divisor(std::max<int64_t>(1, image.dim[1]));
  s.windows = windows.count();
  return s;
}

// Where a plane's element lies in a tensor of planes.
struct Planes {
  int64_t image_stride, plane;
  static Planes of(const Tensor& t) { return {t.image_stride, t.count(2)}; }
  RISTRETTO_DEVICE int64_t at(uint32_t n, uint32_t c) const { return n * image_stride + c * plane; }
};

struct PoolWindow {
  uint32_t n, c;
  int64_t place;  // in the plane of windows
  WindowSpan h, w;
};

RISTRETTO_DEVICE PoolWindow pool_window(const PoolShape& s, uint32_t index) {
  const uint32_t line = s.columns.quotient(index), q = index - line * s.columns.value();
  const uint32_t plane = s.rows.quotient(line), p = line - plane * s.rows.value();
  const uint32_t n = s.channels.quotient(plane);
  return {n, plane - n * s.channels.value(), int64_t{p} * s.columns.value() + q,
          window_span(p, s.stride_h, s.pad_h, s.kernel_h, s.height),
          window_span(q, s.stride_w, s.pad_w, s.kernel_w, s.width)};
}

// body(place in the plane) for every element of the window, row by row. kSize: a square of that size, whose
// loads are then all under way at once; 0: any.
template <int kSize, class Body>
RISTRETTO_DEVICE void for_window(const PoolShape& s, const PoolWindow& window, const Body& body) {
  const int top = int(window.h.begin), bottom = int(window.h.end), width = int(s.width);
  const int left = int(window.w.begin), right = int(window.w.end);
  if constexpr (kSize > 0) {
#pragma unroll
    for (int i = 0; i < kSize; ++i)
#pragma unroll
      for (int j = 0; j < kSize; ++j)
        if (top + i < bottom && left + j < right) body((top + i) * width + left + j);
  } else {
    for (int y = top; y < bottom; ++y)
      for (int x = left; x < right; ++x) body(y * width + x);
  }
}

// The first of the greatest values, and its place in the plane; `floor` and -1 where nothing exceeds that.
template <int kSize>
RISTRETTO_DEVICE float maximum(const float* plane, const PoolShape& s, const PoolWindow& window, int& place,
                               float floor = -FLT_MAX) {
  float best = floor;
  int at = -1;
  for_window<kSize>(s, window, [&](int i) {
    const float value = plane[i];
    if (value > best) best = value, at = i;
  });
  place = at;
  return best;
}

// What a weighted mean is made of.
struct WeightedSums {
  float sum = 0, squares = 0;
};
RISTRETTO_DEVICE WeightedSums weighted_sums(const float* plane, const PoolShape& s,
                                            const PoolWindow& window) {
  WeightedSums sums;
  for_window<0>(s, window, [&](int i) {
    sums.sum += plane[i];
    sums.squares += plane[i] * plane[i];
  });
  return sums;
}

}  // namespace ristretto::cuda
