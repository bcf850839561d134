// Gradients of losses: a thread for each element. What the loss was divided by takes a count of the labels
// first, where it is their number.
#include "core/op/loss/loss_gradient.h"

#include <algorithm>
#include <cmath>

#include "core/op/loss/labels.h"
#include "core/op/loss/loss_normalization.h"
#include "cuda/divisor.h"
#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(uint64_t);
// Blocks that count: a warp adds up their results.
constexpr int kMostParts = kWarp;
constexpr size_t kPartsBytes = kMostParts * sizeof(uint64_t);

struct Weight {
  const float* dst_diff;
  LossNormalization normalization;
  int64_t outer, inner;
  const uint64_t* parts;  // of the number of valid ones; read only where it matters
  int count;
  // The same in every thread; whole warps call it.
  RISTRETTO_DEVICE double value() const {
    uint64_t valid = 0;
    if (normalization == LossNormalization::valid)
      valid = warp_fold(lane_index() < count ? parts[lane_index()] : uint64_t{0}, Sum());
    return *dst_diff / loss_divisor(normalization, outer, inner, int64_t(valid));
  }
};

struct LabelJob {
  const float *src, *labels;
  float* src_diff;
  int64_t elements;  // to be counted: positions
  int64_t total;
  Divisor classes, inner;
  LabelLossKind kind;
  bool through_softmax;
  float floor;
  const float* gain;    // infogain: a row per label
  const double* gains;  // and the sum of each
  bool ignores;
  int64_t ignored;
  NanReport report;

  RISTRETTO_DEVICE int64_t label(int64_t position) const {
    return class_of_label(labels[position], classes.value(), ignores, ignored);
  }
  RISTRETTO_DEVICE bool valid(int64_t position) const { return label(position) >= 0; }
  RISTRETTO_DEVICE float slope(float x, int64_t c, int64_t label, double weight) const {
    if (kind == LabelLossKind::logarithm) {
      if (through_softmax) return float(weight * (x - (c == label ? 1 : 0)));
      return c == label ? float(-weight / std::max(x, floor)) : 0.0f;
    }
    if (kind == LabelLossKind::infogain)
      return float(weight * (x * gains[label] - gain[label * classes.value() + c]));
    const bool squared = kind == LabelLossKind::hinge_l2;
    const float sign = c == label ? -1.0f : 1.0f, margin = 1 + sign * x;
    return float(weight * (margin > 0 ? (squared ? 2.0 * margin : 1.0) * sign : 0.0));
  }
  RISTRETTO_DEVICE void run(int64_t element, double weight) const {
    const uint32_t row = inner.quotient(uint32_t(element)), outer = classes.quotient(row);
    const int64_t c = row - outer * classes.value();
    const int64_t position = int64_t{outer} * inner.value() + (element - int64_t{row} * inner.value());
    const int64_t named = label(position);
    if (named == kNoClass) report.tell(Fault::label);
    src_diff[element] = named < 0 ? 0.0f : slope(src[element], c, named, weight);
  }
};

struct PairJob {
  const float *src, *target;
  float *src_diff, *target_diff;  // or null
  int64_t elements, total;
  PairLossKind kind;
  bool ignores;
  int64_t ignored;
  RISTRETTO_DEVICE bool valid(int64_t i) const { return !ignores_target(ignores, ignored, target[i]); }
  RISTRETTO_DEVICE void run(int64_t i, double weight) const {
    const double x = src[i], t = target[i];
    double slope = kind == PairLossKind::euclidean ? x - t : 1 / (1 + exp(-x)) - t;
    if (!valid(i)) slope = 0;
    if (src_diff) src_diff[i] = float(weight * slope);
    if (target_diff) target_diff[i] = float(-weight * slope);
  }
};

template <class Job>
RISTRETTO_KERNEL(kThreads, 2)
count_valid(Job job, uint64_t* parts) {
  uint64_t valid = 0;
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.elements;
       i += int64_t{kThreads} * blocks())
    valid += job.valid(i);
  valid = block_fold(valid, uint64_t{0}, shared_memory<uint64_t>(), Sum());
  if (thread_index() == 0) parts[block_index()] = valid;
}

// In the order of the classes.
RISTRETTO_KERNEL(kThreads, 4)
sum_gains(const float* gain, int64_t classes, double* gains) {
  for (int64_t label = int64_t{block_index()} * kThreads + thread_index(); label < classes;
       label += int64_t{kThreads} * blocks()) {
    double total = 0;
    for (int64_t c = 0; c < classes; ++c) total += gain[label * classes + c];
    gains[label] = total;
  }
}

template <class Job>
RISTRETTO_KERNEL(kThreads, 4)
loss_slopes(Job job, Weight weight) {
  const double w = weight.value();
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.total;
       i += int64_t{kThreads} * blocks())
    job.run(i, w);
}

int blocks_for(int64_t count, int64_t most) {
  return int(std::clamp<int64_t>((count + kThreads - 1) / kThreads, 1, most));
}

// `parts` is scratch memory for kMostParts of them.
template <class Job>
void run_slopes(Context& context, const Job& job, Weight weight, uint64_t* parts) {
  if (job.total == 0) return;
  if (weight.normalization == LossNormalization::valid) {
    weight.parts = parts;
    weight.count = blocks_for(job.elements, kMostParts);
    launch(context, "count_valid", Grid{weight.count, 1, 1}, kThreads, kSlotBytes, count_valid<Job>, job,
           parts);
  }
  const Grid grid{blocks_for(job.total, int64_t{16} * context.device().multiprocessors), 1, 1};
  launch(context, "loss_slopes", grid, kThreads, 0, loss_slopes<Job>, job, weight);
}

}  // namespace

bool run(Context& context, const LabelLossGradientArguments& a) {
  if (!divisible(a.src.count())) return false;
  const LabelledScores s(a.src, a.labels, a.axis);
  if (a.src.count() == 0) return true;
  LabelJob job{};
  job.src = a.src.f32(), job.labels = a.labels.f32(), job.src_diff = a.src_diff.f32();
  job.elements = s.outer * s.inner, job.total = a.src.count();
  job.classes = Divisor(s.classes), job.inner = Divisor(s.inner);
  job.kind = a.kind, job.through_softmax = a.through_softmax, job.floor = a.floor;
  job.ignores = a.ignores, job.ignored = a.ignored;
  job.report = context.nan_report();
  const bool infogain = a.kind == LabelLossKind::infogain;
  const size_t gains_bytes = infogain ? size_t(s.classes) * sizeof(double) : 0;
  auto* parts = static_cast<uint64_t*>(context.scratch(kPartsBytes + gains_bytes));
  if (infogain) {
    auto* gains = reinterpret_cast<double*>(parts + kMostParts);
    job.gain = a.gain.f32(), job.gains = gains;
    launch(context, "sum_gains", Grid{blocks_for(s.classes, context.device().multiprocessors), 1, 1},
           kThreads, 0, sum_gains, job.gain, s.classes, gains);
  }
  run_slopes(context, job, {a.dst_diff.f32(), a.normalization, s.outer, s.inner, nullptr, 0}, parts);
  return true;
}

bool run(Context& context, const PairLossGradientArguments& a) {
  PairJob job{};
  job.src = a.src.f32(), job.target = a.target.f32();
  job.src_diff = a.src_diff.f32(), job.target_diff = a.target_diff.f32();
  job.elements = job.total = a.src.count();
  job.kind = a.kind, job.ignores = a.ignores, job.ignored = a.ignored;
  run_slopes(context, job,
             {a.dst_diff.f32(), a.normalization, a.src.images(), a.src.image_count(), nullptr, 0},
             static_cast<uint64_t*>(context.scratch(kPartsBytes)));
  return true;
}

}  // namespace ristretto::cuda
