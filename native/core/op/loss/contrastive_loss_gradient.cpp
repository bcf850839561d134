#include "contrastive_loss_gradient.h"

#include <algorithm>

#include "../check_tensor.h"
#include "contrastive_pair.h"

namespace ristretto {

void ContrastiveLossGradient::check(const Arguments& c) {
  require_contiguous(c.a, "a");
  require_contiguous(c.b, "b");
  require_contiguous(c.similar, "similar");
  require_contiguous(c.dst_diff, "dstDiff");
  require_same_shape(c.a, "a", c.b, "b");
  require(c.similar.count() == c.a.images(), "similar ", c.similar.shape_text(), " for ", c.a.images(),
          " pairs");
  require(c.dst_diff.count() == 1, "dstDiff ", c.dst_diff.shape_text(), " is not one element");
  for (const Tensor* diff : {&c.a_diff, &c.b_diff}) {
    if (!*diff) continue;
    require_contiguous(*diff, "diff");
    require_same_shape(c.a, "a", *diff, "diff");
  }
}

void ContrastiveLossGradient::run(Context&, const Arguments& c) {
  const int64_t pairs = c.a.images(), length = c.a.image_count();
  const ContrastivePair pair{c.margin, c.legacy};
  const double weight = c.dst_diff.f32()[0] / double(std::max<int64_t>(pairs, 1));
  for (int64_t n = 0; n < pairs; ++n) {
    const float* a = c.a.f32() + n * length;
    const float* b = c.b.f32() + n * length;
    double squares = 0;
    for (int64_t i = 0; i < length; ++i) squares += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    const double factor = weight * pair.slope(c.similar.f32()[n], squares);
    for (int64_t i = 0; i < length; ++i) {
      const double diff = factor * (double(a[i]) - b[i]);
      if (c.a_diff) c.a_diff.f32()[n * length + i] = float(diff);
      if (c.b_diff) c.b_diff.f32()[n * length + i] = float(-diff);
    }
  }
}

}  // namespace ristretto
