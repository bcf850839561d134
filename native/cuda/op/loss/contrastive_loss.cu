// Contrastive loss and its gradient: a warp for each pair adds up the square of its distance, in double.
#include "core/op/loss/contrastive_loss.h"

#include <algorithm>

#include "core/op/loss/contrastive_loss_gradient.h"
#include "core/op/loss/contrastive_pair.h"
#include "cuda/lost.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128;

struct PairsJob {
  static constexpr int kLanes = kWarp;
  const float *a, *b, *similar;
  int64_t positions, length;  // pairs, and elements of a vector
  ContrastivePair pair;

  RISTRETTO_DEVICE double difference(int64_t at) const { return double(a[at]) - b[at]; }
  // Every lane of a warp calls it and gets the result.
  RISTRETTO_DEVICE double squares(int64_t n) const {
    double sum = 0;
#pragma unroll 4
    for (int64_t i = lane_index(); i < length; i += kWarp) {
      const double d = difference(n * length + i);
      sum += d * d;
    }
    return warp_fold(sum, Sum());
  }
  // Halved before they are added up, which changes no bit of the result.
  RISTRETTO_DEVICE void add(int64_t n, Lost& lost) const {
    const double distance = squares(n);
    if (lane_index() == 0) lost.sum += 0.5 * pair.lost(similar[n], distance);
  }
};

struct SlopesJob {
  PairsJob pairs;
  const float* dst_diff;
  float *a_diff, *b_diff;  // or null
};

RISTRETTO_KERNEL(kThreads, 8)
contrastive_slopes(SlopesJob job) {
  const PairsJob& pairs = job.pairs;
  const double weight = *job.dst_diff / double(pairs.positions);
  constexpr int kWarps = kThreads / kWarp;
  for (int64_t n = int64_t{block_index()} * kWarps + warp_index(); n < pairs.positions;
       n += int64_t{kWarps} * blocks()) {
    const double factor = weight * pairs.pair.slope(pairs.similar[n], pairs.squares(n));
    for (int64_t i = lane_index(); i < pairs.length; i += kWarp) {
      const int64_t at = n * pairs.length + i;
      const double diff = factor * pairs.difference(at);
      if (job.a_diff) job.a_diff[at] = float(diff);
      if (job.b_diff) job.b_diff[at] = float(-diff);
    }
  }
}

// Of ContrastiveLossArguments and ContrastiveLossGradientArguments.
template <class Arguments>
PairsJob pairs_of(const Arguments& c) {
  return {c.a.f32(), c.b.f32(), c.similar.f32(), c.a.images(), c.a.image_count(), {c.margin, c.legacy}};
}

}  // namespace

bool run(Context& context, const ContrastiveLossArguments& c) {
  const PairsJob job = pairs_of(c);
  lose(context, job, {LossNormalization::batch_size, job.positions, 1}, c.dst.f32());
  return true;
}

bool run(Context& context, const ContrastiveLossGradientArguments& c) {
  const SlopesJob job{pairs_of(c), c.dst_diff.f32(), c.a_diff.f32(), c.b_diff.f32()};
  if (c.a.count() == 0 || (!c.a_diff && !c.b_diff)) return true;
  const int64_t wanted = (job.pairs.positions * kWarp + kThreads - 1) / kThreads;
  const Grid grid{int(std::min(wanted, int64_t{16} * context.device().multiprocessors)), 1, 1};
  launch(context, "contrastive_slopes", grid, kThreads, 0, contrastive_slopes, job);
  return true;
}

}  // namespace ristretto::cuda
