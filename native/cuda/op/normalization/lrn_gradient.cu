// Gradient of local response normalisation. Across 3 or 5 channels a thread goes through all channels of one
// pixel with both windows in registers. Else a first pass leaves each element's ratio in scratch memory, and
// a second adds them up over the windows.
#include "core/op/normalization/lrn_gradient.h"

#include "core/op/normalization/lrn_power.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "lrn.h"

namespace ristretto::cuda {

namespace {

template <int kHalf, class Power>
RISTRETTO_KERNEL(kLrnThreads, 4)
lrn_gradient_columns(LrnJob job, Power power) {
  const int64_t pixels = job.images * job.plane;
  for (int64_t p = int64_t{block_index()} * kLrnThreads + thread_index(); p < pixels;
       p += int64_t{kLrnThreads} * blocks()) {
    const int64_t n = p / job.plane, at = p - n * job.plane;
    const float *src = job.src + n * job.src_stride + at, *diff = job.dst_diff + n * job.diff_stride + at;
    float* src_diff = job.dst + n * job.dst_stride + at;
    // The newest are of channel t; ratios and what is scaled, of the channel kHalf before it.
    Ring<2 * kHalf + 1> values, squares, ratios;
    Ring<kHalf + 1> diffs, scaled;
    for (int64_t first = 0; first < job.channels + 2 * kHalf; first += kLrnAhead) {
      float x[kLrnAhead], d[kLrnAhead];
#pragma unroll
      for (int i = 0; i < kLrnAhead; ++i) {
        const bool inside = first + i < job.channels;
        x[i] = inside ? src[(first + i) * job.plane] : 0.0f;
        d[i] = inside ? diff[(first + i) * job.plane] : 0.0f;
      }
#pragma unroll
      for (int i = 0; i < kLrnAhead; ++i) {
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

// dst_diff * scale^-beta, to which the second pass adds the rest, and what it needs for that.
template <bool kAcross, class Power>
RISTRETTO_KERNEL(kLrnThreads, 8)
lrn_ratios(LrnJob job, float* ratios, Power power) {
  const int64_t count = job.images * job.channels * job.plane;
  for (int64_t i = int64_t{block_index()} * kLrnThreads + thread_index(); i < count;
       i += int64_t{kLrnThreads} * blocks()) {
    const LrnPlace place = lrn_place(job, i);
    const float* src = job.src + place.n * job.src_stride;
    const float sum = lrn_window_sum<kAcross>(job, place, [src](int64_t at) { return src[at] * src[at]; });
    const float scale = job.k + job.alpha * sum;
    const float here = power(job.dst_diff[place.n * job.diff_stride + place.at], scale);
    job.dst[place.n * job.dst_stride + place.at] = here;
    ratios[i] = here * src[place.at] / scale;
  }
}

template <bool kAcross>
RISTRETTO_KERNEL(kLrnThreads, 8)
lrn_add_ratios(LrnJob job, const float* ratios) {
  const int64_t count = job.images * job.channels * job.plane;
  for (int64_t i = int64_t{block_index()} * kLrnThreads + thread_index(); i < count;
       i += int64_t{kLrnThreads} * blocks()) {
    const LrnPlace place = lrn_place(job, i);
    const float* image = ratios + (i - place.at);
    const float sum = lrn_window_sum<kAcross>(job, place, [image](int64_t at) { return image[at]; });
    const float x = job.src[place.n * job.src_stride + place.at];
    job.dst[place.n * job.dst_stride + place.at] -= job.factor * x * sum;
  }
}

template <bool kAcross, class Power>
void windows(Context& context, const LrnJob& job, const Power& power) {
  const int64_t count = job.images * job.channels * job.plane;
  const Grid grid = lrn_grid(context, count);
  float* ratios = static_cast<float*>(context.scratch(size_t(count) * sizeof(float)));
  launch(context, "lrn_ratios", grid, kLrnThreads, 0, lrn_ratios<kAcross, Power>, job, ratios, power);
  launch(context, "lrn_add_ratios", grid, kLrnThreads, 0, lrn_add_ratios<kAcross>, job,
         static_cast<const float*>(ratios));
}

template <int kHalf, class Power>
void columns(Context& context, const LrnJob& job, const Power& power) {
  launch(context, "lrn_gradient_columns", lrn_grid(context, job.images * job.plane), kLrnThreads, 0,
         lrn_gradient_columns<kHalf, Power>, job, power);
}

}  // namespace

bool run(Context& context, const LrnGradientArguments& a) {
  if (a.src.count() == 0) return true;
  const bool across = a.region == LrnRegion::across_channels, column = lrn_in_registers(a.region, a.size);
  LrnJob job = lrn_job(a, a.src_diff);
  job.dst_diff = a.dst_diff.f32(), job.diff_stride = a.dst_diff.image_stride;
  if (!across) job.alpha /= job.area, job.k = 1;
  job.factor = 2 * job.alpha * a.beta;
  with_power(a.beta, [&]<class Power>(const Power& power) {
    if (column && a.size == 5)
      columns<2>(context, job, power);
    else if (column)
      columns<1>(context, job, power);
    else if (across)
      windows<true>(context, job, power);
    else
      windows<false>(context, job, power);
  });
  return true;
}

}  // namespace ristretto::cuda
