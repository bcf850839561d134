// Losses against labels and targets: what one position or element loses.
#include "core/op/loss/loss.h"

#include <algorithm>
#include <cmath>

#include "core/op/loss/labels.h"
#include "cuda/lost.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

struct LabelJob {
  static constexpr int kLanes = 1;
  const float *src, *labels, *gain;
  int64_t positions, classes, inner;
  LabelLossKind kind;
  float floor;
  bool ignores;
  int64_t ignored;
  NanReport report;
  // Class c of the position has the score at [c * inner].
  RISTRETTO_DEVICE double lost(const float* scores, int64_t label) const {
    double sum = 0;
    switch (kind) {
      case LabelLossKind::logarithm:
        return -logf(std::max(scores[label * inner], floor));
      case LabelLossKind::infogain:
        for (int64_t c = 0; c < classes; ++c)
          sum -= double(gain[label * classes + c]) * logf(std::max(scores[c * inner], floor));
        return sum;
      default:
        for (int64_t c = 0; c < classes; ++c) {
          const float score = scores[c * inner];
          const double margin = std::max(0.0f, 1 + (c == label ? -score : score));
          sum += kind == LabelLossKind::hinge_l2 ? margin * margin : margin;
        }
        return sum;
    }
  }
  RISTRETTO_DEVICE void add(int64_t position, Lost& lost_here) const {
    const int64_t label = class_of_label(labels[position], classes, ignores, ignored);
    if (label == kNoClass) report.tell(Fault::label);
    if (label < 0) return;
    ++lost_here.valid;
    lost_here.sum += lost(src + position / inner * classes * inner + position % inner, label);
  }
};

struct PairJob {
  static constexpr int kLanes = 1;
  const float *src, *target;
  int64_t positions;
  PairLossKind kind;
  bool ignores;
  int64_t ignored;
  RISTRETTO_DEVICE void add(int64_t i, Lost& lost_here) const {
    const float t = target[i], x = src[i];
    if (ignores_target(ignores, ignored, t)) return;
    ++lost_here.valid;
    if (kind == PairLossKind::euclidean) {
      const double difference = double(x) - t;
      lost_here.sum += 0.5 * difference * difference;
    } else {
      lost_here.sum += log1p(exp(-fabs(double(x)))) - double(x) * (double(t) - (x >= 0 ? 1 : 0));
    }
  }
};

}  // namespace

bool run(Context& context, const LabelLossArguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  const LabelJob job{
      a.src.f32(), a.labels.f32(), a.gain.f32(), s.outer * s.inner, s.classes,           s.inner,
      a.kind,      a.floor,        a.ignores,    a.ignored,         context.nan_report()};
  lose(context, job, {a.normalization, s.outer, s.inner}, a.dst.f32());
  return true;
}

bool run(Context& context, const PairLossArguments& a) {
  const PairJob job{a.src.f32(), a.target.f32(), a.src.count(), a.kind, a.ignores, a.ignored};
  lose(context, job, {a.normalization, a.src.images(), a.src.image_count()}, a.dst.f32());
  return true;
}

}  // namespace ristretto::cuda
