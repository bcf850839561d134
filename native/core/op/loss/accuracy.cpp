#include "accuracy.h"

#include "labels.h"

namespace ristretto {

void Accuracy::check(const Arguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  require(a.top_k >= 1 && a.top_k <= s.classes, "top_k ", a.top_k,
          " is not from 1 to the number of classes, ", s.classes);
  require_float(a.dst, "dst");
  require(a.dst.count() == 1, "dst ", a.dst.shape_text(), " is not one number");
  if (!a.per_class) return;
  require_contiguous(a.per_class, "perClass");
  require(a.per_class.count() == s.classes, "perClass ", a.per_class.shape_text(),
          " is not one number for each of ", s.classes, " classes");
}

void Accuracy::run(Context&, const Arguments& a) {
  const LabelledScores s(a.src, a.labels, a.axis);
  std::vector<int64_t> right(s.classes, 0), seen(s.classes, 0);
  int64_t all_right = 0, all_seen = 0;
  for (int64_t n = 0; n < s.outer; ++n)
    for (int64_t i = 0; i < s.inner; ++i) {
      const int64_t label = class_of(a.labels, n * s.inner + i, s, a.ignores, a.ignored);
      if (label < 0) continue;
      const float* scores = a.src.f32() + n * s.classes * s.inner + i;
      const float own = scores[label * s.inner];
      int64_t better = -1;  // the class itself is counted too
      for (int64_t c = 0; c < s.classes && better < a.top_k; ++c) better += !(scores[c * s.inner] < own);
      ++all_seen, ++seen[label];
      if (better < a.top_k) ++all_right, ++right[label];
    }
  *a.dst.f32() = all_seen ? float(all_right) / float(all_seen) : 0.0f;
  if (a.per_class)
    for (int64_t c = 0; c < s.classes; ++c)
      a.per_class.f32()[c] = seen[c] ? float(right[c]) / float(seen[c]) : 0.0f;
}

}  // namespace ristretto
