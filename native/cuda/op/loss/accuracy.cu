// Accuracy: a warp looks through the scores of a position, or a thread where positions lie side by side.
// Counts are integers, so their order cannot show.
#include "core/op/loss/accuracy.h"

#include <algorithm>

#include "core/op/loss/labels.h"
#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(int32_t);

struct AccuracyJob {
  const float *src, *labels;
  int64_t positions, classes, inner, top_k;
  int lanes;  // that look through one position: 1 or kWarp
  bool ignores;
  int64_t ignored;
  NanReport report;
  // Zero at first: positions seen and right; those of each class, or null.
  int32_t *totals, *seen, *right;
};

RISTRETTO_KERNEL(kThreads, 4)
count_right(AccuracyJob job) {
  const int64_t thread = int64_t{block_index()} * kThreads + thread_index();
  const int lane = thread_index() % job.lanes;
  int32_t seen = 0, right = 0;
  for (int64_t p = thread / job.lanes; p < job.positions; p += int64_t{kThreads} * blocks() / job.lanes) {
    const int64_t label = class_of_label(job.labels[p], job.classes, job.ignores, job.ignored);
    if (label == kNoClass) job.report.tell(Fault::label);
    if (label < 0) continue;
    const float* scores = job.src + p / job.inner * job.classes * job.inner + p % job.inner;
    const float own = scores[label * job.inner];
    int64_t better = 0;  // the class itself is counted too
    for (int64_t c = lane; c < job.classes; c += job.lanes) better += !(scores[c * job.inner] < own);
    if (job.lanes == kWarp) better = warp_fold(better, Sum());
    if (lane != 0) continue;
    const bool is_right = better - 1 < job.top_k;
    ++seen;
    right += is_right;
    if (!job.seen) continue;
    atomic_add(job.seen + label, 1);
    if (is_right) atomic_add(job.right + label, 1);
  }
  seen = block_fold(seen, 0, shared_memory<int32_t>(), Sum());
  right = block_fold(right, 0, shared_memory<int32_t>(), Sum());
  if (thread_index() != 0) return;
  atomic_add(job.totals, seen);
  atomic_add(job.totals + 1, right);
}

RISTRETTO_DEVICE float share(int32_t right, int32_t seen) { return seen ? float(right) / float(seen) : 0.0f; }

RISTRETTO_KERNEL(kThreads, 1)
accuracy_shares(AccuracyJob job, float* dst, float* per_class) {
  if (thread_index() == 0) *dst = share(job.totals[1], job.totals[0]);
  if (!per_class) return;
  for (int64_t c = thread_index(); c < job.classes; c += kThreads)
    per_class[c] = share(job.right[c], job.seen[c]);
}

}  // namespace

bool run(Context& context, const AccuracyArguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  const int64_t positions = s.outer * s.inner;
  if (positions >= int64_t{1} << 31) return false;
  AccuracyJob job{};
  job.src = a.src.f32(), job.labels = a.labels.f32();
  job.positions = positions, job.classes = s.classes, job.inner = s.inner, job.top_k = a.top_k;
  job.lanes = s.inner < kWarp ? kWarp : 1;
  job.ignores = a.ignores, job.ignored = a.ignored;
  job.report = context.nan_report();
  const size_t bytes = size_t(2 + (a.per_class ? 2 * s.classes : 0)) * sizeof(int32_t);
  job.totals = static_cast<int32_t*>(context.scratch(bytes));
  if (a.per_class) job.seen = job.totals + 2, job.right = job.seen + s.classes;
  context.fill_zero(job.totals, bytes);
  const int64_t wanted = (positions * job.lanes + kThreads - 1) / kThreads;
  const Grid grid{int(std::clamp<int64_t>(wanted, 1, int64_t{16} * context.device().multiprocessors)), 1, 1};
  launch(context, "count_right", grid, kThreads, kSlotBytes, count_right, job);
  launch(context, "accuracy_shares", Grid{}, kThreads, 0, accuracy_shares, job, a.dst.f32(),
         a.per_class.f32());
  return true;
}

}  // namespace ristretto::cuda
