// Arg max: a block looks through a run of scores once for each of the top k, for the best behind the last.
#include "core/op/rows/arg_max.h"

#include <algorithm>

#include "core/format/float_bits.h"
#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(uint64_t);
// Of a run's scores, where more than these are wanted: the processor sorts longer ones.
constexpr int64_t kFewTop = 16, kMostLooks = int64_t{1} << 22;

struct ArgMaxJob {
  const float* src;
  float* dst;
  ArgMaxOutput output;
  int64_t runs, length, inner, top_k;
};

// Greater for what comes first: NaNs last, zeros of both signs alike, of equal scores the later one.
RISTRETTO_DEVICE uint64_t rank_of(float score, int64_t index) {
  uint32_t bits = bits_of(score == 0 ? 0.0f : score);
  if (is_nan_bits(bits))
    bits = 0;
  else
    bits = bits & FloatBits::kSign ? ~bits : bits | FloatBits::kSign;
  return uint64_t{bits} << 32 | uint64_t(index);
}

RISTRETTO_KERNEL(kThreads, 8)
find_top(ArgMaxJob job) {
  const bool both = job.output == ArgMaxOutput::both;
  for (int64_t run = block_index(); run < job.runs; run += blocks()) {
    const int64_t n = run / job.inner, i = run % job.inner;
    const float* src = job.src + n * job.length * job.inner + i;
    float* dst = job.dst + n * job.top_k * job.inner * (both ? 2 : 1) + i;
    uint64_t last = ~uint64_t{0};
    for (int64_t k = 0; k < job.top_k; ++k) {
      uint64_t best = 0;
      for (int64_t c = thread_index(); c < job.length; c += kThreads) {
        const uint64_t rank = rank_of(src[c * job.inner], c);
        if (rank < last && rank > best) best = rank;
      }
      last = block_fold(best, uint64_t{0}, shared_memory<uint64_t>(), Greatest());
      if (thread_index() != 0) continue;
      const int64_t index = int64_t(uint32_t(last));
      const float score = src[index * job.inner];
      dst[k * job.inner] = job.output == ArgMaxOutput::value ? score : float(index);
      if (both) dst[job.top_k + k] = score;
    }
  }
}

}  // namespace

bool run(Context& context, const ArgMaxArguments& a) {
  if (a.length >= int64_t{1} << 32) return false;
  if (a.top_k > kFewTop && a.top_k > kMostLooks / a.length) return false;
  const ArgMaxJob job{a.src.f32(), a.dst.f32(), a.output, a.outer * a.inner, a.length, a.inner, a.top_k};
  if (job.runs == 0) return true;
  const Grid grid{int(std::min(job.runs, int64_t{16} * context.device().multiprocessors)), 1, 1};
  launch(context, "find_top", grid, kThreads, kSlotBytes, find_top, job);
  return true;
}

}  // namespace ristretto::cuda
