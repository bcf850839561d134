// Ops on the rows of a matrix, a block for each: sums, and normalisation by mean and variance. And what goes
// back to a row from its sum.
#include <algorithm>
#include <cmath>

#include "core/op/mvn.h"
#include "core/op/mvn_gradient.h"
#include "core/op/reduce.h"
#include "core/op/reduce_gradient.h"
#include "cuda/block_moments.h"
#include "cuda/divisor.h"
#include "cuda/launch.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(double);

struct RowsJob {
  const float *src, *dst_diff;
  float* dst;  // of a gradient: src_diff
  int64_t rows, length;
  ReduceOperation operation;
  float coefficient, eps;
  bool normalize_variance;
};

RISTRETTO_KERNEL(kThreads, 4)
reduce_rows(RowsJob job) {
  for (int64_t row = block_index(); row < job.rows; row += blocks()) {
    const float* x = job.src + row * job.length;
    const double sum = block_sum(job.length, shared_memory<double>(), [&](int64_t i) {
      const double value = double(x[i]);
      return job.operation == ReduceOperation::sum            ? value
             : job.operation == ReduceOperation::absolute_sum ? fabs(value)
                                                              : value * value;
    });
    if (thread_index() == 0) job.dst[row] = job.coefficient * float(sum);
  }
}

RISTRETTO_KERNEL(kThreads, 4)
normalise_rows(RowsJob job) {
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
normalise_rows_gradient(RowsJob job) {
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

struct RowSlope {
  ReduceOperation operation;
  Divisor length;
  const float* dst_diff;
  float coefficient;
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[1]) const {
    const float slope = coefficient * dst_diff[length.quotient(uint32_t(element))];
    if (operation == ReduceOperation::sum) return slope;
    if (operation == ReduceOperation::square_sum) return 2 * slope * x[0];
    return x[0] > 0 ? slope : x[0] < 0 ? -slope : 0.0f;
  }
};

Grid grid_of(const Context& context, int64_t rows) {
  return {int(std::min(rows, int64_t{16} * context.device().multiprocessors)), 1, 1};
}

}  // namespace

bool run(Context& context, const ReduceArguments& r) {
  RowsJob job{};
  job.src = r.src.f32(), job.dst = r.dst.f32();
  job.rows = r.dst.count();
  if (job.rows == 0) return true;
  job.length = r.src.count() / job.rows;
  job.operation = r.operation, job.coefficient = r.coefficient;
  launch(context, "reduce_rows", grid_of(context, job.rows), kThreads, kSlotBytes, reduce_rows, job);
  return true;
}

bool run(Context& context, const ReduceGradientArguments& r) {
  if (!divisible(r.src.count())) return false;
  if (r.src.count() == 0) return true;
  const Divisor length(r.src.count() / r.dst_diff.count());
  map<1>(context, "reduce_gradient", {r.src}, r.src_diff,
         RowSlope{r.operation, length, r.dst_diff.f32(), r.coefficient});
  return true;
}

bool run(Context& context, const MvnArguments& m) {
  RowsJob job{};
  job.src = m.src.f32(), job.dst = m.dst.f32();
  job.rows = m.rows, job.length = m.src.count() / m.rows;
  job.normalize_variance = m.normalize_variance, job.eps = m.eps;
  if (job.length == 0) return true;
  launch(context, "normalise_rows", grid_of(context, job.rows), kThreads, kSlotBytes, normalise_rows, job);
  return true;
}

bool run(Context& context, const MvnGradientArguments& m) {
  RowsJob job{};
  job.src = m.src.f32(), job.dst_diff = m.dst_diff.f32(), job.dst = m.src_diff.f32();
  job.rows = m.rows, job.length = m.src_diff.count() / m.rows;
  job.normalize_variance = m.normalize_variance, job.eps = m.eps;
  if (job.length == 0) return true;
  launch(context, "normalise_rows_gradient", grid_of(context, job.rows), kThreads, kSlotBytes,
         normalise_rows_gradient, job);
  return true;
}

}  // namespace ristretto::cuda
