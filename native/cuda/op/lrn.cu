// Local response normalisation. Across channels a thread goes through all channels of one pixel with the
// window in registers: every value is read once, 32 neighbouring pixels at a time, and dst may be src. Within
// a channel, and for other sizes, every element looks at its window through the cache.
#include "core/op/lrn.h"

#include <algorithm>

#include "core/op/lrn_gradient.h"
#include "core/op/lrn_power.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128;
// Channels that are read ahead of the window.
constexpr int kAhead = 4;

struct LrnJob {
  const float *src, *dst_diff;
  float* dst;  // of the gradient: src_diff
  int64_t src_stride, diff_stride, dst_stride;
  int64_t images, channels, height, width, plane, half;
  float alpha, k, factor, area;
};

// Values of the last channels, the newest last.
template <int kCount>
struct Ring {
  float value[kCount] = {};
  RISTRETTO_DEVICE void push(float newest) {
#pragma unroll
    for (int i = 0; i + 1 < kCount; ++i) value[i] = value[i + 1];
    value[kCount - 1] = newest;
  }
  // Oldest first, as the processor adds.
  RISTRETTO_DEVICE float sum() const {
    float total = 0;
#pragma unroll
    for (int i = 0; i < kCount; ++i) total += value[i];
    return total;
  }
};

template <int kHalf, class Power>
RISTRETTO_KERNEL(kThreads, 8)
lrn_columns(LrnJob job, Power power) {
  const int64_t pixels = job.images * job.plane;
  for (int64_t p = int64_t{block_index()} * kThreads + thread_index(); p < pixels;
       p += int64_t{kThreads} * blocks()) {
    const int64_t n = p / job.plane, at = p - n * job.plane;
    const float* src = job.src + n * job.src_stride + at;
    float* dst = job.dst + n * job.dst_stride + at;
    Ring<2 * kHalf + 1> squares;
    Ring<kHalf + 1> values;
    for (int64_t first = 0; first < job.channels + kHalf; first += kAhead) {
      float ahead[kAhead];
#pragma unroll
      for (int i = 0; i < kAhead; ++i)
        ahead[i] = first + i < job.channels ? src[(first + i) * job.plane] : 0.0f;
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        squares.push(ahead[i] * ahead[i]);
        values.push(ahead[i]);
        const int64_t c = first + i - kHalf;
        if (c >= 0 && c < job.channels)
          dst[c * job.plane] = power(values.value[0], job.k + job.alpha * squares.sum());
      }
    }
  }
}

template <int kHalf, class Power>
RISTRETTO_KERNEL(kThreads, 4)
lrn_gradient_columns(LrnJob job, Power power) {
  const int64_t pixels = job.images * job.plane;
  for (int64_t p = int64_t{block_index()} * kThreads + thread_index(); p < pixels;
       p += int64_t{kThreads} * blocks()) {
    const int64_t n = p / job.plane, at = p - n * job.plane;
    const float *src = job.src + n * job.src_stride + at, *diff = job.dst_diff + n * job.diff_stride + at;
    float* src_diff = job.dst + n * job.dst_stride + at;
    // The newest are of channel t; ratios and what is scaled, of the channel kHalf before it.
    Ring<2 * kHalf + 1> values, squares, ratios;
    Ring<kHalf + 1> diffs, scaled;
    for (int64_t first = 0; first < job.channels + 2 * kHalf; first += kAhead) {
      float x[kAhead], d[kAhead];
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        const bool inside = first + i < job.channels;
        x[i] = inside ? src[(first + i) * job.plane] : 0.0f;
        d[i] = inside ? diff[(first + i) * job.plane] : 0.0f;
      }
#pragma unroll
      for (int i = 0; i < kAhead; ++i) {
        values.push(x[i]);
        squares.push(x[i] * x[i]);
        diffs.push(d[i]);
        const int64_t middle = first + i - kHalf, c = middle - kHalf;
        const bool inside = middle >= 0 && middle < job.channels;
        const float scale = job.k + job.alpha * squares.sum();
        const float here = inside ? power(diffs.value[0], scale) : 0.0f;
        scaled.push(here);
        ratios.push(inside ? here * values.value[kHalf] / scale : 0.0f);
        if (c >= 0 && c < job.channels)
          src_diff[c * job.plane] = scaled.value[0] - job.factor * values.value[0] * ratios.sum();
      }
    }
  }
}

template <bool kAcross, class Power>
RISTRETTO_KERNEL(kThreads, 8)
lrn_elements(LrnJob job, Power power) {
  const int64_t count = job.channels * job.plane;
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.images * count;
       i += int64_t{kThreads} * blocks()) {
    const int64_t n = i / count, at = i - n * count, c = at / job.plane, pixel = at - c * job.plane;
    const float* src = job.src + n * job.src_stride;
    float sum = 0;
    if (kAcross) {
      const int64_t last = std::min(job.channels - 1, c + job.half);
      for (int64_t from = std::max<int64_t>(0, c - job.half); from <= last; ++from) {
        const float x = src[from * job.plane + pixel];
        sum += x * x;
      }
    } else {
      const int64_t y = pixel / job.width, x = pixel - y * job.width;
      const int64_t bottom = std::min(job.height - 1, y + job.half);
      const int64_t right = std::min(job.width - 1, x + job.half);
      for (int64_t column = std::max<int64_t>(0, x - job.half); column <= right; ++column) {
        float squares = 0;
        for (int64_t row = std::max<int64_t>(0, y - job.half); row <= bottom; ++row) {
          const float value = src[c * job.plane + row * job.width + column];
          squares += value * value;
        }
        sum += squares;
      }
    }
    const float scale = kAcross ? job.k + job.alpha * sum : 1 + job.alpha * (sum / job.area);
    job.dst[n * job.dst_stride + at] = power(src[at], scale);
  }
}

template <class Arguments>
LrnJob job_of(const Arguments& a, const Tensor& dst) {
  LrnJob job{};
  job.src = a.src.f32(), job.dst = dst.f32();
  job.src_stride = a.src.image_stride, job.dst_stride = dst.image_stride;
  job.images = a.src.dim[0], job.channels = a.src.dim[1], job.height = a.src.dim[2], job.width = a.src.dim[3];
  job.plane = job.height * job.width;
  job.half = (a.size - 1) / 2;
  job.alpha = a.region == LrnRegion::across_channels ? a.alpha / float(a.size) : a.alpha;
  job.area = float(a.size) * float(a.size);
  job.k = a.k;
  job.factor = 2 * job.alpha * a.beta;
  return job;
}

Grid grid_of(const Context& context, int64_t count) {
  return {int(std::min((count + kThreads - 1) / kThreads, int64_t{32} * context.device().multiprocessors)), 1,
          1};
}

}  // namespace

bool run(Context& context, const LrnArguments& a) {
  if (a.trim) return false;
  const bool across = a.region == LrnRegion::across_channels, column = across && (a.size == 3 || a.size == 5);
  if (!column && a.src.data == a.dst.data) return false;
  if (a.src.count() == 0) return true;
  const LrnJob job = job_of(a, a.dst);
  with_power(a.beta, [&]<class Power>(const Power& power) {
    const Grid pixels = grid_of(context, job.images * job.plane), elements = grid_of(context, a.src.count());
    if (column && a.size == 5)
      launch(context, "lrn_columns", pixels, kThreads, 0, lrn_columns<2, Power>, job, power);
    else if (column)
      launch(context, "lrn_columns", pixels, kThreads, 0, lrn_columns<1, Power>, job, power);
    else if (across)
      launch(context, "lrn_elements", elements, kThreads, 0, lrn_elements<true, Power>, job, power);
    else
      launch(context, "lrn_elements", elements, kThreads, 0, lrn_elements<false, Power>, job, power);
  });
  return true;
}

bool run(Context& context, const LrnGradientArguments& a) {
  if (a.region != LrnRegion::across_channels || (a.size != 3 && a.size != 5)) return false;
  if (a.src.count() == 0) return true;
  LrnJob job = job_of(a, a.src_diff);
  job.dst_diff = a.dst_diff.f32(), job.diff_stride = a.dst_diff.image_stride;
  with_power(a.beta, [&]<class Power>(const Power& power) {
    const Grid pixels = grid_of(context, job.images * job.plane);
    if (a.size == 5)
      launch(context, "lrn_gradient_columns", pixels, kThreads, 0, lrn_gradient_columns<2, Power>, job,
             power);
    else
      launch(context, "lrn_gradient_columns", pixels, kThreads, 0, lrn_gradient_columns<1, Power>, job,
             power);
  });
  return true;
}

}  // namespace ristretto::cuda
