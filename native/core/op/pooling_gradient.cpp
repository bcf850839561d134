#include "pooling_gradient.h"

#include <algorithm>
#include <cfloat>
#include <optional>

#include "../cpu/pool_kernels.h"
#include "check_tensor.h"
#include "sampled_window.h"

namespace ristretto {
namespace {

constexpr int64_t kMostParameter = int64_t{1} << 31;
// Places in a window are counted in float32.
constexpr int64_t kMostWindow = int64_t{1} << 24;

struct Plane {
  const float* src;
  const float* dst_diff;
  float* src_diff;
};

const PoolKernels& kernels_for(const CpuFeatures& features) {
  for (const PoolKernels* kernels : {pool_kernels_avx512(), pool_kernels_avx2()})
    if (kernels && kernels->supports(features)) return *kernels;
  return *pool_kernels_portable();
}

// What one worker needs to find maxima: a padded row of the image, and a number per window twice.
struct MaximumScratch {
  float *row, *best, *at;
  int64_t row_length, windows;

  static int64_t windows_of(const PoolingGradientArguments& a) {
    return (a.dst_diff.dim[3] + kPoolLanes - 1) / kPoolLanes * kPoolLanes;
  }
  // Whole vectors of windows are read along the row, one vector further for a stride of 2.
  static int64_t row_length_of(const PoolingGradientArguments& a) {
    return a.pad_w + a.src_diff.dim[3] + (windows_of(a) + kPoolLanes) * std::min<int64_t>(a.stride_w, 2) +
           a.kernel_w;
  }
  static int64_t floats(const PoolingGradientArguments& a) { return row_length_of(a) + 2 * windows_of(a); }

  MaximumScratch(const PoolingGradientArguments& a, float* from)
      : row(from), row_length(row_length_of(a)), windows(windows_of(a)) {
    best = row + row_length;
    at = best + windows;
    std::fill(row, row + row_length, -FLT_MAX);
  }
};

void maximum(const PoolingGradientArguments& a, const Plane& plane, const MaximumScratch& scratch,
             const PoolKernels& kernels) {
  const int64_t W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  const int64_t H = a.src_diff.dim[2];
  for (int64_t p = 0; p < P; ++p) {
    const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
    std::fill(scratch.best, scratch.best + scratch.windows, -FLT_MAX);
    std::fill(scratch.at, scratch.at + scratch.windows, -1.0f);
    for (int64_t y = h.begin; y < h.end; ++y) {
      std::copy(plane.src + y * W, plane.src + (y + 1) * W, scratch.row + a.pad_w);
      kernels.places({scratch.row, Q, a.kernel_w, a.stride_w, float((y - h.begin) * a.kernel_w), scratch.best,
                      scratch.at});
    }
    const float* diff = plane.dst_diff + p * Q;
    // Neighbouring windows may have the same maximum: one after the other.
    float* to = plane.src_diff + h.begin * W - a.pad_w;
    for (int64_t q = 0; q < Q; ++q) {
      const int64_t place = int64_t(scratch.at[q]);
      if (place >= 0) to[place / a.kernel_w * W + place % a.kernel_w + q * a.stride_w] += diff[q];
    }
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
  require(a.kind != PoolingKind::max || std::min(a.kernel_h, a.src_diff.dim[2]) * a.kernel_w < kMostWindow,
          "the kernel ", a.kernel_h, " x ", a.kernel_w, " is too large for a maximum's gradient");
  require(a.pad_h >= 0 && a.pad_w >= 0 && a.pad_h < a.kernel_h && a.pad_w < a.kernel_w, "padding ", a.pad_h,
          " x ", a.pad_w, " must be less than the kernel ", a.kernel_h, " x ", a.kernel_w);
  require(a.src_diff.data != a.dst_diff.data, "pooling cannot run in place");
}

void PoolingGradient::run(Context& context, const Arguments& a) {
  const int64_t C = a.src_diff.dim[1], pixels = a.src_diff.dim[2] * a.src_diff.dim[3],
                windows = a.dst_diff.dim[2] * a.dst_diff.dim[3];
  if (pixels == 0) return;
  const bool max = a.kind == PoolingKind::max;
  const size_t scratch = size_t(max ? MaximumScratch::floats(a) : a.src_diff.dim[3]) * sizeof(float);
  const PoolKernels& kernels = kernels_for(context.features);
  context.pool.for_range(a.src_diff.dim[0] * C, 1, [&](int64_t begin, int64_t end, int worker) {
    float* row = static_cast<float*>(context.scratch(worker, scratch));
    std::optional<MaximumScratch> maxima;
    if (max) maxima.emplace(a, row);
    for (int64_t i = begin; i < end; ++i) {
      const Plane plane{a.src ? a.src.image(i / C) + i % C * pixels : nullptr,
                        a.dst_diff.image(i / C) + i % C * windows, a.src_diff.image(i / C) + i % C * pixels};
      if (!a.accumulate) std::fill(plane.src_diff, plane.src_diff + pixels, 0.0f);
      if (max)
        maximum(a, plane, *maxima, kernels);
      else if (a.kind == PoolingKind::average)
        average(a, plane, row);
      else
        stochastic(a, plane, a.random.first_element + uint64_t(i * windows));
    }
  });
}

}  // namespace ristretto
