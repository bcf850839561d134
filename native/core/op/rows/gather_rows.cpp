#include "gather_rows.h"

#include <cstring>

#include "../check_tensor.h"
#include "row_index.h"

namespace ristretto {

void GatherRows::check(const Arguments& g) {
  require_contiguous(g.table, "table");
  require_contiguous(g.index, "index");
  require_contiguous(g.dst, "dst");
  require(g.table.rank >= 1, "table has no rows");
  const int64_t length = g.table.image_count();
  require(g.dst.count() == g.index.count() * length, "dst ", g.dst.shape_text(), " does not hold ",
          g.index.count(), " rows of ", length);
  if (!g.bias) return;
  require_contiguous(g.bias, "bias");
  require(g.bias.count() == length, "bias ", g.bias.shape_text(), " for rows of ", length);
}

void GatherRows::run(Context& context, const Arguments& g) {
  const int64_t length = g.table.image_count(), rows = g.table.images();
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(g.index.count(), kGrain / (length + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t m = begin; m < end; ++m) {
      const float* from = g.table.f32() + row_at(g.index, m, rows) * length;
      float* to = g.dst.f32() + m * length;
      if (g.bias)
        for (int64_t i = 0; i < length; ++i) to[i] = from[i] + g.bias.f32()[i];
      else
        std::memcpy(to, from, length * sizeof(float));
    }
  });
}

}  // namespace ristretto
