#include "loss.h"

#include <algorithm>
#include <cmath>

#include "labels.h"
#include "loss_normalization.h"

namespace ristretto {
namespace {

double hinge(const float* scores, int64_t classes, int64_t inner, int64_t label, bool squared) {
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) {
    const float score = scores[c * inner];
    const double margin = std::max(0.0f, 1 + (c == label ? -score : score));
    sum += squared ? margin * margin : margin;
  }
  return sum;
}

double infogain(const LabelLossArguments& a, const float* scores, int64_t classes, int64_t inner,
                int64_t label) {
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c)
    sum -= double(a.gain.f32()[label * classes + c]) * std::log(std::max(scores[c * inner], a.floor));
  return sum;
}

double loss_of(const LabelLossArguments& a, const float* scores, int64_t classes, int64_t inner,
               int64_t label) {
  switch (a.kind) {
    case LabelLossKind::logarithm:
      return -std::log(std::max(scores[label * inner], a.floor));
    case LabelLossKind::hinge_l1:
      return hinge(scores, classes, inner, label, false);
    case LabelLossKind::hinge_l2:
      return hinge(scores, classes, inner, label, true);
    case LabelLossKind::infogain:
      return infogain(a, scores, classes, inner, label);
  }
  fail("unknown loss");
}

}  // namespace

void LabelLoss::check(const Arguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  if (a.kind == LabelLossKind::infogain) {
    require_contiguous(a.gain, "gain");
    require(a.gain.count() == s.classes * s.classes, "gain ", a.gain.shape_text(), " for ", s.classes,
            " classes");
  }
  require_float(a.dst, "dst");
  require(a.dst.count() == 1, "dst ", a.dst.shape_text(), " is not one number");
}

void LabelLoss::run(Context&, const Arguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  double sum = 0;
  int64_t valid = 0;
  for (int64_t n = 0; n < s.outer; ++n)
    for (int64_t i = 0; i < s.inner; ++i) {
      const int64_t label = class_of(a.labels, n * s.inner + i, s, a.ignores, a.ignored);
      if (label < 0) continue;
      ++valid;
      const float* scores = a.src.f32() + n * s.classes * s.inner + i;
      sum += loss_of(a, scores, s.classes, s.inner, label);
    }
  *a.dst.f32() = float(sum / loss_divisor(a.normalization, s.outer, s.inner, valid));
}

void PairLoss::check(const Arguments& a) {
  require_contiguous(a.src, "src");
  require_contiguous(a.target, "target");
  require(a.src.count() == a.target.count(), "src ", a.src.shape_text(), " and target ",
          a.target.shape_text(), " differ in their number of elements");
  require_float(a.dst, "dst");
  require(a.dst.count() == 1, "dst ", a.dst.shape_text(), " is not one number");
}

void PairLoss::run(Context&, const Arguments& a) {
  const float *src = a.src.f32(), *target = a.target.f32();
  double sum = 0;
  int64_t valid = 0;
  for (int64_t i = 0; i < a.src.count(); ++i) {
    const float t = target[i], x = src[i];
    if (ignores_target(a.ignores, a.ignored, t)) continue;
    ++valid;
    if (a.kind == PairLossKind::euclidean) {
      const double difference = double(x) - t;
      sum += 0.5 * difference * difference;
    } else {
      // log(1 + e^-|x|) does not overflow
      sum += std::log1p(std::exp(-std::fabs(double(x)))) - double(x) * (double(t) - (x >= 0 ? 1 : 0));
    }
  }
  *a.dst.f32() = float(sum / loss_divisor(a.normalization, a.src.images(), a.src.image_count(), valid));
}

}  // namespace ristretto
