// Local response normalisation. Across channels a thread goes through all channels of one pixel with the
// window in registers: every value is read once, 32 neighbouring pixels at a time, and dst may be src. Within
// a channel, and for other sizes, every element looks at its window through the cache, of a copy where dst is
// src.
#include "lrn.h"

#include "core/op/normalization/lrn_power.h"
#include "cuda/launch.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

template <int kHalf, class Power>
RISTRETTO_KERNEL(kLrnThreads, 8)
lrn_columns(LrnJob job, Power power) {
  const int64_t pixels = job.images * job.plane;
  for (int64_t p = int64_t{block_index()} * kLrnThreads + thread_index(); p < pixels;
       p += int64_t{kLrnThreads} * blocks()) {
    const int64_t n = p / job.plane, at = p - n * job.plane;
    const float* src = job.src + n * job.src_stride + at;
    float* dst = job.dst + n * job.dst_stride + at;
    Ring<2 * kHalf + 1> squares;
    Ring<kHalf + 1> values;
    for (int64_t first = 0; first < job.channels + kHalf; first += kLrnAhead) {
      float ahead[kLrnAhead];
#pragma unroll
      for (int i = 0; i < kLrnAhead; ++i)
        ahead[i] = first + i < job.channels ? src[(first + i) * job.plane] : 0.0f;
#pragma unroll
      for (int i = 0; i < kLrnAhead; ++i) {
        squares.push(ahead[i] * ahead[i]);
        values.push(ahead[i]);
        const int64_t c = first + i - kHalf;
        if (c >= 0 && c < job.channels)
          dst[c * job.plane] = power(values.value[0], job.k + job.alpha * squares.sum());
      }
    }
  }
}

template <bool kAcross, class Power>
RISTRETTO_KERNEL(kLrnThreads, 8)
lrn_elements(LrnJob job, Power power) {
  const int64_t count = job.images * job.channels * job.plane;
  for (int64_t i = int64_t{block_index()} * kLrnThreads + thread_index(); i < count;
       i += int64_t{kLrnThreads} * blocks()) {
    const LrnPlace place = lrn_place(job, i);
    const float* src = job.src + place.n * job.src_stride;
    const float sum = lrn_window_sum<kAcross>(job, place, [src](int64_t at) { return src[at] * src[at]; });
    const float scale = kAcross ? job.k + job.alpha * sum : 1 + job.alpha * (sum / job.area);
    job.dst[place.n * job.dst_stride + place.at] = power(src[place.at], scale);
  }
}

void lrn(Context& context, const LrnArguments& a) {
  const LrnJob job = lrn_job(a, a.dst);
  const bool column = lrn_in_registers(a.region, a.size);
  with_power(a.beta, [&]<class Power>(const Power& power) {
    const Grid pixels = lrn_grid(context, job.images * job.plane);
    const Grid elements = lrn_grid(context, a.src.count());
    if (column && a.size == 5)
      launch(context, "lrn_columns", pixels, kLrnThreads, 0, lrn_columns<2, Power>, job, power);
    else if (column)
      launch(context, "lrn_columns", pixels, kLrnThreads, 0, lrn_columns<1, Power>, job, power);
    else if (a.region == LrnRegion::across_channels)
      launch(context, "lrn_elements", elements, kLrnThreads, 0, lrn_elements<true, Power>, job, power);
    else
      launch(context, "lrn_elements", elements, kLrnThreads, 0, lrn_elements<false, Power>, job, power);
  });
}

struct Same {
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[1]) const { return x[0]; }
};
// In scratch memory.
Tensor copy_of(Context& context, const Tensor& src) {
  Tensor copy = src;
  copy.image_stride = copy.image_count();
  copy.data = context.scratch(size_t(copy.count()) * sizeof(float));
  map<1>(context, "lrn_copy", {src}, copy, Same{});
  return copy;
}

}  // namespace

bool run(Context& context, const LrnArguments& arguments) {
  LrnArguments a = arguments;
  if (a.src.count() == 0) return true;
  if (a.src.data == a.dst.data && !lrn_in_registers(a.region, a.size)) a.src = copy_of(context, a.src);
  if (a.trim)
    lrn_trimmed(context, a);
  else
    lrn(context, a);
  return true;
}

}  // namespace ristretto::cuda
