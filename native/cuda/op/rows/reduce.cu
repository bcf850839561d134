// reduce: a row's sum by a block. And what goes back to a row from its sum.
#include <cmath>

#include "core/op/rows/reduce.h"
#include "core/op/rows/reduce_gradient.h"
#include "cuda/block_moments.h"
#include "cuda/divisor.h"
#include "cuda/launch.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(double);

struct ReduceJob {
  const float* src;
  float* dst;
  int64_t rows, length;
  ReduceOperation operation;
  float coefficient;
};

RISTRETTO_KERNEL(kThreads, 4)
reduce_rows(ReduceJob job) {
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

}  // namespace

bool run(Context& context, const ReduceArguments& r) {
  ReduceJob job{};
  job.src = r.src.f32(), job.dst = r.dst.f32();
  job.rows = r.dst.count();
  if (job.rows == 0) return true;
  job.length = r.src.count() / job.rows;
  job.operation = r.operation, job.coefficient = r.coefficient;
  launch(context, "reduce_rows", rows_grid(context, job.rows), kThreads, kSlotBytes, reduce_rows, job);
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

}  // namespace ristretto::cuda
