// The sum of what positions lose: blocks add up theirs, in double, a second launch the blocks.
#pragma once

#include <algorithm>

#include "core/op/loss/loss_normalization.h"
#include "fold.h"
#include "launch.h"

namespace ristretto::cuda {

constexpr int kLostThreads = 256;
constexpr size_t kLostSlotBytes = kLostThreads / kWarp * sizeof(double);

struct Lost {
  double sum;
  uint64_t valid;  // positions that count
};

RISTRETTO_DEVICE Lost fold_lost(Lost lost) {
  auto* slots = shared_memory<double>();
  lost.sum = block_fold(lost.sum, 0.0, slots, Sum());
  lost.valid = block_fold(lost.valid, uint64_t{0}, reinterpret_cast<uint64_t*>(slots), Sum());
  return lost;
}

// A job has `positions`, kLanes (1 or kWarp) threads side by side for each of them, and
//   void add(int64_t position, Lost& lost) const   what the position loses, in one of its threads
template <class Job>
RISTRETTO_KERNEL(kLostThreads, 2)
lose_parts(Job job, Lost* parts) {
  Lost lost{};
  for (int64_t p = (int64_t{block_index()} * kLostThreads + thread_index()) / Job::kLanes; p < job.positions;
       p += int64_t{kLostThreads / Job::kLanes} * blocks())
    job.add(p, lost);
  lost = fold_lost(lost);
  if (thread_index() == 0) parts[block_index()] = lost;
}

struct Normalization {
  LossNormalization kind;
  int64_t outer, inner;
};

RISTRETTO_KERNEL(kLostThreads, 1)
add_lost(const Lost* parts, int count, Normalization by, float* dst) {
  Lost lost{};
  for (int i = thread_index(); i < count; i += kLostThreads) {
    lost.sum += parts[i].sum;
    lost.valid += parts[i].valid;
  }
  lost = fold_lost(lost);
  if (thread_index() == 0)
    *dst = float(lost.sum / loss_divisor(by.kind, by.outer, by.inner, int64_t(lost.valid)));
}

template <class Job>
void lose(Context& context, const Job& job, const Normalization& by, float* dst) {
  const int64_t wanted = (job.positions * Job::kLanes + kLostThreads - 1) / kLostThreads;
  const int count = int(std::clamp<int64_t>(wanted, 1, int64_t{2} * context.device().multiprocessors));
  auto* parts = static_cast<Lost*>(context.scratch(size_t(count) * sizeof(Lost)));
  launch(context, "lose_parts", Grid{count, 1, 1}, kLostThreads, kLostSlotBytes, lose_parts<Job>, job, parts);
  launch(context, "add_lost", Grid{}, kLostThreads, kLostSlotBytes, add_lost, parts, count, by, dst);
}

}  // namespace ristretto::cuda
