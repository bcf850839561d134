// mvn: a row's normalisation by mean and variance, by a block.
#include <cmath>

#include "core/op/normalization/mvn.h"
#include "core/op/normalization/mvn_gradient.h"
#include "cuda/block_moments.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(double);

struct MvnJob {
  const float *src, *dst_diff;
  float* dst;  // of a gradient: src_diff
  int64_t rows, length;
  float eps;
  bool normalize_variance;
};

RISTRETTO_KERNEL(kThreads, 4)
normalise_rows(MvnJob job) {
  for (int64_t row = block_index(); row < job.rows; row += blocks()) {
    const float* from = job.src + row * job.length;
    float* to = job.dst + row * job.length;
    const Moments moments =
        block_moments(job.length, shared_memory<double>(), [&](int64_t i) { return from[i]; });
    const float mean = float(moments.mean);
    const float divisor = job.normalize_variance ? sqrtf(float(moments.variance)) + job.eps : 1.0f;
    for (int64_t i = thread_index(); i < job.length; i += kThreads) to[i] = (from[i] - mean) / divisor;
  }
}

RISTRETTO_KERNEL(kThreads, 4)
normalise_rows_gradient(MvnJob job) {
  auto* slots = shared_memory<double>();
  for (int64_t row = block_index(); row < job.rows; row += blocks()) {
    const float* dst_diff = job.dst_diff + row * job.length;
    const float* src = job.normalize_variance ? job.src + row * job.length : nullptr;
    float* src_diff = job.dst + row * job.length;
    const double length = double(job.length);
    const double sum = block_sum(job.length, slots, [&](int64_t i) { return double(dst_diff[i]); });
    const float mean_diff = float(sum / length);
    if (!job.normalize_variance) {
      for (int64_t i = thread_index(); i < job.length; i += kThreads) src_diff[i] = dst_diff[i] - mean_diff;
      continue;
    }
    const Moments moments = block_moments(job.length, slots, [&](int64_t i) { return src[i]; });
    const float mean = float(moments.mean), divisor = sqrtf(float(moments.variance)) + job.eps;
    const double product =
        block_sum(job.length, slots, [&](int64_t i) { return double(dst_diff[i]) * double(src[i] - mean); });
    const float slope = float(product / length / divisor);
    for (int64_t i = thread_index(); i < job.length; i += kThreads)
      src_diff[i] = (dst_diff[i] - mean_diff - (src[i] - mean) / divisor * slope) / divisor;
  }
}

}  // namespace

bool run(Context& context, const MvnArguments& m) {
  MvnJob job{};
  job.src = m.src.f32(), job.dst = m.dst.f32();
  job.rows = m.rows, job.length = m.src.count() / m.rows;
  job.normalize_variance = m.normalize_variance, job.eps = m.eps;
  if (job.length == 0) return true;
  launch(context, "normalise_rows", rows_grid(context, job.rows), kThreads, kSlotBytes, normalise_rows, job);
  return true;
}

bool run(Context& context, const MvnGradientArguments& m) {
  MvnJob job{};
  job.src = m.src.f32(), job.dst_diff = m.dst_diff.f32(), job.dst = m.src_diff.f32();
  job.rows = m.rows, job.length = m.src_diff.count() / m.rows;
  job.normalize_variance = m.normalize_variance, job.eps = m.eps;
  if (job.length == 0) return true;
  launch(context, "normalise_rows_gradient", rows_grid(context, job.rows), kThreads, kSlotBytes,
         normalise_rows_gradient, job);
  return true;
}

}  // namespace ristretto::cuda
