#include "contrastive_loss.h"

#include <algorithm>

#include "../check_tensor.h"
#include "contrastive_pair.h"

namespace ristretto {

void ContrastiveLoss::check(const Arguments& c) {
  require_contiguous(c.a, "a");
  require_contiguous(c.b, "b");
  require_contiguous(c.similar, "similar");
  require_contiguous(c.dst, "dst");
  require_same_shape(c.a, "a", c.b, "b");
  require(c.similar.count() == c.a.images(), "similar ", c.similar.shape_text(), " for ", c.a.images(),
          " pairs");
  require(c.dst.count() == 1, "dst ", c.dst.shape_text(), " is not one element");
}

void ContrastiveLoss::run(Context&, const Arguments& c) {
  const int64_t pairs = c.a.images(), length = c.a.image_count();
  const ContrastivePair pair{c.margin, c.legacy};
  double loss = 0;
  for (int64_t n = 0; n < pairs; ++n) {
    const float* a = c.a.f32() + n * length;
    const float* b = c.b.f32() + n * length;
    double squares = 0;
    for (int64_t i = 0; i < length; ++i) squares += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    loss += pair.lost(c.similar.f32()[n], squares);
  }
  c.dst.f32()[0] = float(loss / double(std::max<int64_t>(pairs, 1)) / 2);
}

}  // namespace ristretto
