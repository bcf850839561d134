#include "pooling_gradient.h"

#include <algorithm>
#include <cfloat>
#include <limits>

#include "check_tensor.h"
#include "sampled_window.h"

namespace ristretto {
namespace {

constexpr int64_t kMostParameter = int64_t{1} << 31;
constexpr int32_t kNone = std::numeric_limits<int32_t>::min();

struct Plane {
  const float* src;
  const float* dst_diff;
  float* src_diff;
};

// Windows [q0, q1) of a row whose element `offset` lies inside the image.
struct Inside {
  int64_t q0, q1;
};
Inside inside(int64_t offset, int64_t stride, int64_t width, int64_t windows) {
  const int64_t q0 = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const int64_t q1 = offset >= width ? 0 : (width - 1 - offset) / stride + 1;
  return {q0, std::min(q1, windows)};
}

// Element `tap + q * stride` against the largest so far of window q, for a whole row of windows.
template <int Stride>
void larger(const float* from, int32_t tap, int64_t stride, Inside range, float* best, int32_t* at) {
  const int64_t step = Stride ? Stride : stride;
  for (int64_t q = range.q0; q < range.q1; ++q) {
    const float value = from[q * step];
    const bool more = value > best[q];
    best[q] = more ? value : best[q];
    at[q] = more ? tap : at[q];
  }
}

void maximum(const PoolingGradientArguments& a, const Plane& plane, float* best) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  int32_t* at = reinterpret_cast<int32_t*>(best + Q);
  const auto body = a.stride_w == 1 ? larger<1> : a.stride_w == 2 ? larger<2> : larger<0>;
  for (int64_t p = 0; p < P; ++p) {
    const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
    std::fill(best, best + Q, -FLT_MAX);
    std::fill(at, at + Q, kNone);
    for (int64_t y = h.begin; y < h.end; ++y)
      for (int64_t s = 0; s < std::min(a.kernel_w, W + a.pad_w); ++s) {
        const int64_t tap = y * W + s - a.pad_w;
        body(plane.src + tap, int32_t(tap), a.stride_w, inside(s - a.pad_w, a.stride_w, W, Q), best, at);
      }
    const float* diff = plane.dst_diff + p * Q;
    for (int64_t q = 0; q < Q; ++q)
      if (at[q] != kNone) plane.src_diff[at[q] + q * a.stride_w] += diff[q];
  }
}

// What the windows of one row add up to along the width is the same for all rows of the image that they
// cover.
void average(const PoolingGradientArguments& a, const Plane& plane, float* row) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  for (int64_t p = 0; p < P; ++p) {
    const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
    if (h.empty()) continue;
    std::fill(row, row + W, 0.0f);
    for (int64_t q = 0; q < Q; ++q) {
      const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
      if (w.empty()) continue;
      const float share = plane.dst_diff[p * Q + q] / (float(h.padded) * float(w.padded));
      for (int64_t x = w.begin; x < w.end; ++x) row[x] += share;
    }
    for (int64_t y = h.begin; y < h.end; ++y)
      for (int64_t x = 0; x < W; ++x) plane.src_diff[y * W + x] += row[x];
  }
}

void weighted(const PoolingGradientArguments& a, const Plane& plane, WindowSpan h, WindowSpan w, float diff) {
  const int64_t W = a.src_diff.dim[3];
  float sum = 0, squares = 0;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x) {
      const float value = plane.src[y * W + x];
      sum += value;
      squares += value * value;
    }
  if (!(sum > 0)) return;
  const float mean = squares / sum, factor = diff / sum;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x)
      plane.src_diff[y * W + x] += factor * (2 * plane.src[y * W + x] - mean);
}

void stochastic(const PoolingGradientArguments& a, const Plane& plane, uint64_t first) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  for (int64_t p = 0; p < P; ++p)
    for (int64_t q = 0; q < Q; ++q) {
      const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
      const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
      const float diff = plane.dst_diff[p * Q + q];
      if (a.kind == PoolingKind::weighted) {
        weighted(a, plane, h, w, diff);
        continue;
      }
      const int64_t at =
          sampled_place(plane.src, W, h, w, random_word(a.random, first + uint64_t(p * Q + q)));
      if (at >= 0) plane.src_diff[at] += diff;
    }
}

}  // namespace

void PoolingGradient::check(const Arguments& a) {
  require_float(a.dst_diff, "dstDiff");
  require_float(a.src_diff, "srcDiff");
  require(a.src_diff.rank == 4 && a.dst_diff.rank == 4, "srcDiff ", a.src_diff.shape_text(), " and dstDiff ",
          a.dst_diff.shape_text(), " must have four axes");
  require(a.src_diff.dim[0] == a.dst_diff.dim[0] && a.src_diff.dim[1] == a.dst_diff.dim[1], "srcDiff ",
          a.src_diff.shape_text(), " and dstDiff ", a.dst_diff.shape_text(), " differ in images or channels");
  require(a.src_diff.dim[2] * a.src_diff.dim[3] < kMostParameter, "srcDiff ", a.src_diff.shape_text(),
          " has planes too large");
  if (a.kind != PoolingKind::average) {
    require_float(a.src, "src");
    require_same_shape(a.src, "src", a.src_diff, "srcDiff");
  }
  for (int64_t value : {a.kernel_h, a.kernel_w, a.stride_h, a.stride_w})
    require(value >= 1 && value < kMostParameter, value, " is not a kernel's or stride's length");
  require(a.pad_h >= 0 && a.pad_w >= 0 && a.pad_h < a.kernel_h && a.pad_w < a.kernel_w, "padding ", a.pad_h,
          " x ", a.pad_w, " must be less than the kernel ", a.kernel_h, " x ", a.kernel_w);
  require(a.src_diff.data != a.dst_diff.data, "pooling cannot run in place");
}

void PoolingGradient::run(Context& context, const Arguments& a) {
  const int64_t C = a.src_diff.dim[1], pixels = a.src_diff.dim[2] * a.src_diff.dim[3],
                windows = a.dst_diff.dim[2] * a.dst_diff.dim[3];
  if (pixels == 0) return;
  const size_t scratch = size_t(2 * a.dst_diff.dim[3] + a.src_diff.dim[3]) * sizeof(float);
  context.pool.for_range(a.src_diff.dim[0] * C, 1, [&](int64_t begin, int64_t end, int worker) {
    float* row = static_cast<float*>(context.scratch(worker, scratch));
    for (int64_t i = begin; i < end; ++i) {
      const Plane plane{a.src ? a.src.image(i / C) + i % C * pixels : nullptr,
                        a.dst_diff.image(i / C) + i % C * windows, a.src_diff.image(i / C) + i % C * pixels};
      if (!a.accumulate) std::fill(plane.src_diff, plane.src_diff + pixels, 0.0f);
      if (a.kind == PoolingKind::max)
        maximum(a, plane, row);
      else if (a.kind == PoolingKind::average)
        average(a, plane, row);
      else
        stochastic(a, plane, a.random.first_element + uint64_t(i * windows));
    }
  });
}

}  // namespace ristretto
