// Softmax and its gradient. Classes that lie side by side are shared by a warp or a block; where positions
// lie side by side, each is a thread's, and a warp reads a class of 32 positions at once.
#include "core/op/rows/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/op/rows/softmax_gradient.h"
#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(double);
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct SoftmaxJob {
  const float* src;  // of the gradient: what softmax gave
  const float* dst_diff;
  float* dst;  // of the gradient: what it is to be
  int64_t outer, classes, inner;
};

// A block a row.
RISTRETTO_KERNEL(kThreads, 8)
softmax_rows(SoftmaxJob job) {
  auto* slots = shared_memory<float>();
  for (int64_t row = block_index(); row < job.outer; row += blocks()) {
    const float* src = job.src + row * job.classes;
    float* dst = job.dst + row * job.classes;
    float highest = -kInfinity;
    for (int64_t c = thread_index(); c < job.classes; c += kThreads) highest = Greatest()(highest, src[c]);
    highest = block_fold(highest, -kInfinity, slots, Greatest());
    float sum = 0;
    for (int64_t c = thread_index(); c < job.classes; c += kThreads) sum += dst[c] = expf(src[c] - highest);
    sum = block_fold(sum, 0.0f, slots, Sum());
    for (int64_t c = thread_index(); c < job.classes; c += kThreads) dst[c] /= sum;
  }
}

RISTRETTO_KERNEL(kThreads, 8)
softmax_positions(SoftmaxJob job) {
  for (int64_t p = int64_t{block_index()} * kThreads + thread_index(); p < job.outer * job.inner;
       p += int64_t{kThreads} * blocks()) {
    const int64_t first = p / job.inner * job.classes * job.inner + p % job.inner;
    const float* src = job.src + first;
    float* dst = job.dst + first;
    float highest = src[0], sum = 0;
    for (int64_t c = 1; c < job.classes; ++c) highest = Greatest()(highest, src[c * job.inner]);
    for (int64_t c = 0; c < job.classes; ++c) sum += dst[c * job.inner] = expf(src[c * job.inner] - highest);
    for (int64_t c = 0; c < job.classes; ++c) dst[c * job.inner] /= sum;
  }
}

RISTRETTO_DEVICE float slope(float dst, float dst_diff, double dot) { return float(dst_diff - dot) * dst; }

RISTRETTO_KERNEL(kThreads, 8)
softmax_gradient_rows(SoftmaxJob job) {
  for (int64_t row = block_index(); row < job.outer; row += blocks()) {
    const float *dst = job.src + row * job.classes, *dst_diff = job.dst_diff + row * job.classes;
    float* src_diff = job.dst + row * job.classes;
    double dot = 0;
    for (int64_t c = thread_index(); c < job.classes; c += kThreads) dot += double(dst[c]) * dst_diff[c];
    dot = block_fold(dot, 0.0, shared_memory<double>(), Sum());
    for (int64_t c = thread_index(); c < job.classes; c += kThreads)
      src_diff[c] = slope(dst[c], dst_diff[c], dot);
  }
}

RISTRETTO_KERNEL(kThreads, 8)
softmax_gradient_positions(SoftmaxJob job) {
  for (int64_t p = int64_t{block_index()} * kThreads + thread_index(); p < job.outer * job.inner;
       p += int64_t{kThreads} * blocks()) {
    const int64_t first = p / job.inner * job.classes * job.inner + p % job.inner;
    double dot = 0;
    for (int64_t c = 0; c < job.classes; ++c)
      dot += double(job.src[first + c * job.inner]) * job.dst_diff[first + c * job.inner];
    for (int64_t c = 0; c < job.classes; ++c) {
      const int64_t at = first + c * job.inner;
      job.dst[at] = slope(job.src[at], job.dst_diff[at], dot);
    }
  }
}

SoftmaxJob job_of(const Tensor& src, const Tensor& dst, int64_t axis) {
  return {src.f32(), nullptr, dst.f32(), src.count(0, int(axis)), src.dim[axis], src.count(int(axis) + 1)};
}

void start(Context& context, const char* name, const SoftmaxJob& job, void (*rows)(SoftmaxJob),
           void (*positions)(SoftmaxJob)) {
  if (job.outer * job.classes * job.inner == 0) return;
  const bool side_by_side = job.inner == 1;
  const int64_t wanted = side_by_side ? job.outer : (job.outer * job.inner + kThreads - 1) / kThreads;
  const Grid grid{int(std::min(wanted, int64_t{16} * context.device().multiprocessors)), 1, 1};
  launch(context, name, grid, kThreads, kSlotBytes, side_by_side ? rows : positions, job);
}

}  // namespace

bool run(Context& context, const SoftmaxArguments& a) {
  start(context, "softmax", job_of(a.src, a.dst, a.axis), softmax_rows, softmax_positions);
  return true;
}

bool run(Context& context, const SoftmaxGradientArguments& a) {
  SoftmaxJob job = job_of(a.dst, a.src_diff, a.axis);
  job.dst_diff = a.dst_diff.f32();
  start(context, "softmax_gradient", job, softmax_gradient_rows, softmax_gradient_positions);
  return true;
}

}  // namespace ristretto::cuda
