#include "dropout.h"

#include "../check_tensor.h"

namespace ristretto {

void Dropout::check(const Arguments& d) {
  require_contiguous(d.src, "src");
  require_contiguous(d.dst, "dst");
  require_same_shape(d.src, "src", d.dst, "dst");
  require(d.ratio >= 0 && d.ratio < 1, "dropout ratio ", d.ratio, " is not in [0, 1)");
}

void Dropout::run(Context& context, const Arguments& d) {
  const uint64_t threshold = uint64_t(double(d.ratio) * 4294967296.0);
  const float scale = float(1.0 / (1.0 - double(d.ratio)));
  constexpr int64_t kGrain = 1 << 12;
  context.pool.for_range(d.src.count(), kGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const uint32_t word = random_word(d.random, d.random.first_element + uint64_t(i));
      d.dst.f32()[i] = word < threshold ? 0.0f : d.src.f32()[i] * scale;
    }
  });
}

}  // namespace ristretto
