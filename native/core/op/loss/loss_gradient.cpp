#include "loss_gradient.h"

#include <cmath>

#include "labels.h"
#include "loss_normalization.h"

namespace ristretto {
namespace {

void require_one(const Tensor& dst_diff) {
  require_float(dst_diff, "dstDiff");
  require(dst_diff.count() == 1, "dstDiff ", dst_diff.shape_text(), " is not one number");
}

// The classes of one position: element c is [c * inner].
struct Position {
  const LabelLossGradientArguments& arguments;
  const float* src;
  float* src_diff;
  int64_t classes, inner, label;

  void logarithm(double weight) const {
    if (arguments.through_softmax) {
      for (int64_t c = 0; c < classes; ++c)
        src_diff[c * inner] = float(weight * (src[c * inner] - (c == label ? 1 : 0)));
    } else {
      for (int64_t c = 0; c < classes; ++c) src_diff[c * inner] = 0;
      src_diff[label * inner] = float(-weight / std::max(src[label * inner], arguments.floor));
    }
  }

  void hinge(double weight, bool squared) const {
    for (int64_t c = 0; c < classes; ++c) {
      const float sign = c == label ? -1.0f : 1.0f, margin = 1 + sign * src[c * inner];
      const double slope = margin > 0 ? (squared ? 2.0 * margin : 1.0) * sign : 0.0;
      src_diff[c * inner] = float(weight * slope);
    }
  }

  void infogain(double weight) const {
    const float* gain = arguments.gain.f32() + label * classes;
    double total = 0;
    for (int64_t c = 0; c < classes; ++c) total += gain[c];
    for (int64_t c = 0; c < classes; ++c)
      src_diff[c * inner] = float(weight * (src[c * inner] * total - gain[c]));
  }

  void run(double weight) const {
    switch (arguments.kind) {
      case LabelLossKind::logarithm:
        return logarithm(weight);
      case LabelLossKind::hinge_l1:
        return hinge(weight, false);
      case LabelLossKind::hinge_l2:
        return hinge(weight, true);
      case LabelLossKind::infogain:
        return infogain(weight);
    }
  }
};

}  // namespace

void LabelLossGradient::check(const Arguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  require_one(a.dst_diff);
  require_contiguous(a.src_diff, "srcDiff");
  require_same_shape(a.src, "src", a.src_diff, "srcDiff");
  if (a.kind != LabelLossKind::infogain) return;
  require(a.through_softmax, "infogain has a gradient through the softmax only");
  require_contiguous(a.gain, "gain");
  require(a.gain.count() == s.classes * s.classes, "gain ", a.gain.shape_text(), " for ", s.classes,
          " classes");
}

void LabelLossGradient::run(Context& context, const Arguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  const int64_t positions = s.outer * s.inner;
  const auto label_at = [&](int64_t position) {
    return class_of(a.labels, position, s, a.ignores, a.ignored);
  };
  int64_t valid = 0;
  for (int64_t position = 0; position < positions; ++position) valid += label_at(position) >= 0;
  const double weight = *a.dst_diff.f32() / loss_divisor(a.normalization, s.outer, s.inner, valid);
  context.pool.for_range(
      positions, std::max<int64_t>(1, 4096 / std::max<int64_t>(1, s.classes)),
      [&](int64_t begin, int64_t end, int) {
        for (int64_t position = begin; position < end; ++position) {
          const int64_t first = position / s.inner * s.classes * s.inner + position % s.inner;
          float* src_diff = a.src_diff.f32() + first;
          const int64_t label = label_at(position);
          if (label < 0)
            for (int64_t c = 0; c < s.classes; ++c) src_diff[c * s.inner] = 0;
          else
            Position{a, a.src.f32() + first, src_diff, s.classes, s.inner, label}.run(weight);
        }
      });
}

void PairLossGradient::check(const Arguments& a) {
  require_contiguous(a.src, "src");
  require_contiguous(a.target, "target");
  require(a.src.count() == a.target.count(), "src ", a.src.shape_text(), " and target ",
          a.target.shape_text(), " differ in their number of elements");
  require_one(a.dst_diff);
  for (const auto& [tensor, name] : {std::pair{&a.src_diff, "srcDiff"}, {&a.target_diff, "targetDiff"}}) {
    if (!*tensor) continue;
    require_contiguous(*tensor, name);
    require(tensor->count() == a.src.count(), name, " ", tensor->shape_text(), " for src ",
            a.src.shape_text());
  }
  require(!a.target_diff || a.kind == PairLossKind::euclidean, "targets have no gradient here");
}

void PairLossGradient::run(Context& context, const Arguments& a) {
  const float *src = a.src.f32(), *target = a.target.f32();
  const int64_t count = a.src.count();
  int64_t valid = count;
  if (a.ignores)
    for (int64_t i = 0; i < count; ++i) valid -= ignores_target(true, a.ignored, target[i]);
  const double weight =
      *a.dst_diff.f32() / loss_divisor(a.normalization, a.src.images(), a.src.image_count(), valid);
  context.pool.for_range(count, 1 << 12, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const double x = src[i], t = target[i];
      double slope = a.kind == PairLossKind::euclidean ? x - t : 1 / (1 + std::exp(-x)) - t;
      if (ignores_target(a.ignores, a.ignored, target[i])) slope = 0;
      if (a.src_diff) a.src_diff.f32()[i] = float(weight * slope);
      if (a.target_diff) a.target_diff.f32()[i] = float(-weight * slope);
    }
  });
}

}  // namespace ristretto
