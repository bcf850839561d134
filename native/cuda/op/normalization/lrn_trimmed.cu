// Local response normalisation in a minifloat, the processor's steps in its order: the window's sum is not
// added up anew for every channel, but gains one square and loses another, each time trimmed. A thread goes
// through all channels of one pixel. The power is in double, and takes more time than all trims together,
// which therefore are the definition's.
#include <cmath>

#include "core/format/minifloat.h"
#include "cuda/launch.h"
#include "lrn.h"

namespace ristretto::cuda {

namespace {

struct TrimmedSteps {
  Minifloat format;
  double beta;
  NanReport report;

  RISTRETTO_DEVICE float trim(float x) const { return minifloat_trim(x, format, 0); }
  RISTRETTO_DEVICE float square(float value) const { return trim(value * value); }
  RISTRETTO_DEVICE float result(const LrnJob& job, float value, float sum) const {
    const float scale = trim(job.k + trim(sum * job.alpha));
    return trim(value * trim(float(std::pow(double(scale), -beta))));
  }
};

// Zeros stand for what lies outside: to add or subtract one leaves a sum that is trimmed as it is.
template <int kHalf>
RISTRETTO_KERNEL(kLrnThreads, 4)
lrn_trimmed_columns(LrnJob job, TrimmedSteps steps) {
  const int64_t pixels = job.images * job.plane;
  bool nan = false;
  for (int64_t p = int64_t{block_index()} * kLrnThreads + thread_index(); p < pixels;
       p += int64_t{kLrnThreads} * blocks()) {
    const int64_t n = p / job.plane, at = p - n * job.plane;
    const float* src = job.src + n * job.src_stride + at;
    float* dst = job.dst + n * job.dst_stride + at;
    Ring<2 * kHalf + 1> squares;
    Ring<kHalf + 1> values;
    float sum = 0;
    for (int64_t first = 0; first < job.channels + kHalf; first += kLrnAhead) {
      float ahead[kLrnAhead];
#pragma unroll
      for (int i = 0; i < kLrnAhead; ++i)
        ahead[i] = first + i < job.channels ? src[(first + i) * job.plane] : 0.0f;
#pragma unroll
      for (int i = 0; i < kLrnAhead; ++i) {
        nan = nan || is_nan_bits(bits_of(ahead[i]));
        const float value = steps.trim(ahead[i]), square = steps.square(value);
        sum = steps.trim(steps.trim(sum + square) - squares.value[0]);
        values.push(value);
        squares.push(square);
        const int64_t c = first + i - kHalf;
        if (c >= 0 && c < job.channels) dst[c * job.plane] = steps.result(job, values.value[0], sum);
      }
    }
  }
  if (nan) steps.report.tell();
}

// Of any size: a value is read as the newest, in the middle, and when it leaves.
RISTRETTO_KERNEL(kLrnThreads, 4)
lrn_trimmed_windows(LrnJob job, TrimmedSteps steps) {
  const int64_t pixels = job.images * job.plane;
  bool nan = false;
  for (int64_t p = int64_t{block_index()} * kLrnThreads + thread_index(); p < pixels;
       p += int64_t{kLrnThreads} * blocks()) {
    const int64_t n = p / job.plane, at = p - n * job.plane;
    const float* src = job.src + n * job.src_stride + at;
    float* dst = job.dst + n * job.dst_stride + at;
    const auto square = [&](int64_t c) { return steps.square(steps.trim(src[c * job.plane])); };
    float sum = 0;
    for (int64_t newest = 0; newest < job.channels + job.half; ++newest) {
      if (newest < job.channels) {
        nan = nan || is_nan_bits(bits_of(src[newest * job.plane]));
        sum = steps.trim(sum + square(newest));
      }
      const int64_t c = newest - job.half, leaving = c - job.half - 1;
      if (leaving >= 0) sum = steps.trim(sum - square(leaving));
      if (c >= 0) dst[c * job.plane] = steps.result(job, steps.trim(src[c * job.plane]), sum);
    }
  }
  if (nan) steps.report.tell();
}

}  // namespace

void lrn_trimmed(Context& context, const LrnArguments& a) {
  LrnJob job = lrn_job(a, a.dst);
  const TrimmedSteps steps{minifloat(a.trim), double(a.beta), context.nan_report()};
  const Grid grid = lrn_grid(context, job.images * job.plane);
  // No window is wider than all channels around the last one.
  job.half = std::min(job.half, job.channels - 1);
  if (a.size == 5)
    launch(context, "lrn_trimmed_columns", grid, kLrnThreads, 0, lrn_trimmed_columns<2>, job, steps);
  else if (a.size == 3)
    launch(context, "lrn_trimmed_columns", grid, kLrnThreads, 0, lrn_trimmed_columns<1>, job, steps);
  else
    launch(context, "lrn_trimmed_windows", grid, kLrnThreads, 0, lrn_trimmed_windows, job, steps);
}

}  // namespace ristretto::cuda
