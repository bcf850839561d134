// What the kernels of local response normalisation share: their job, the window of a thread that goes through
// the channels, and the sum over the window of one that looks at it through the cache.
#pragma once

#include <algorithm>

#include "core/op/normalization/lrn.h"
#include "cuda/context.h"
#include "cuda/executor.h"
#include "cuda/lanes.h"

namespace ristretto::cuda {

constexpr int kLrnThreads = 128;
// Channels that are read ahead of the window.
constexpr int kLrnAhead = 4;

struct LrnJob {
  const float *src, *dst_diff;
  float* dst;  // of the gradient: src_diff
  int64_t src_stride, diff_stride, dst_stride;
  int64_t images, channels, height, width, plane, half;
  float alpha, k, factor, area;
};

// Of LrnArguments and LrnGradientArguments.
template <class Arguments>
LrnJob lrn_job(const Arguments& a, const Tensor& dst) {
  LrnJob job{};
  job.src = a.src.f32(), job.dst = dst.f32();
  job.src_stride = a.src.image_stride, job.dst_stride = dst.image_stride;
  job.images = a.src.dim[0], job.channels = a.src.dim[1], job.height = a.src.dim[2], job.width = a.src.dim[3];
  job.plane = job.height * job.width;
  job.half = (a.size - 1) / 2;
  job.alpha = a.region == LrnRegion::across_channels ? a.alpha / float(a.size) : a.alpha;
  job.area = float(a.size) * float(a.size);
  job.k = a.k;
  return job;
}

inline Grid lrn_grid(const Context& context, int64_t count) {
  const int64_t most = int64_t{32} * context.device().multiprocessors;
  return {int(std::min((count + kLrnThreads - 1) / kLrnThreads, most)), 1, 1};
}

// Windows of 3 and 5 channels fit into a thread's registers.
inline bool lrn_in_registers(LrnRegion region, int64_t size) {
  return region == LrnRegion::across_channels && (size == 3 || size == 5);
}

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

// Where an element lies: in its image, and that in channels and pixels.
struct LrnPlace {
  int64_t n, at, c, pixel;
};
RISTRETTO_DEVICE LrnPlace lrn_place(const LrnJob& job, int64_t element) {
  const int64_t count = job.channels * job.plane;
  const int64_t n = element / count, at = element - n * count, c = at / job.plane;
  return {n, at, c, at - c * job.plane};
}

// value(place in the image), added up over the window in the processor's order.
template <bool kAcross, class Value>
RISTRETTO_DEVICE float lrn_window_sum(const LrnJob& job, const LrnPlace& place, const Value& value) {
  float sum = 0;
  if constexpr (kAcross) {
    const int64_t last = std::min(job.channels - 1, place.c + job.half);
    for (int64_t from = std::max<int64_t>(0, place.c - job.half); from <= last; ++from)
      sum += value(from * job.plane + place.pixel);
  } else {
    const int64_t y = place.pixel / job.width, x = place.pixel - y * job.width;
    const int64_t bottom = std::min(job.height - 1, y + job.half);
    const int64_t right = std::min(job.width - 1, x + job.half);
    for (int64_t column = std::max<int64_t>(0, x - job.half); column <= right; ++column) {
      float rows = 0;
      for (int64_t row = std::max<int64_t>(0, y - job.half); row <= bottom; ++row)
        rows += value(place.c * job.plane + row * job.width + column);
      sum += rows;
    }
  }
  return sum;
}

// Every step's result is trimmed; dst may be src where the window is in registers.
void lrn_trimmed(Context& context, const LrnArguments& arguments);

}  // namespace ristretto::cuda
