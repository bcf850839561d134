#include "scatter_rows.h"

#include <algorithm>

#include "../check_tensor.h"
#include "row_index.h"

namespace ristretto {

void ScatterRows::check(const Arguments& s) {
  require_contiguous(s.src, "src");
  require_contiguous(s.index, "index");
  require(s.table || s.bias, "neither a table nor a bias to add to");
  if (s.table) {
    require_contiguous(s.table, "table");
    require(s.table.rank >= 1, "table has no rows");
    require(s.src.count() == s.index.count() * s.table.image_count(), "src ", s.src.shape_text(),
            " does not hold ", s.index.count(), " rows of ", s.table.image_count());
    require(s.table.data != s.src.data, "rows cannot be scattered in place");
  }
  if (!s.bias) return;
  require_contiguous(s.bias, "bias");
  require(s.src.count() == s.index.count() * s.bias.count(), "bias ", s.bias.shape_text(), " for ",
          s.index.count(), " rows in src ", s.src.shape_text());
}

void ScatterRows::run(Context& context, const Arguments& s) {
  const int64_t count = s.index.count();
  const int64_t length = s.table ? s.table.image_count() : s.bias.count();
  const int64_t rows = s.table ? s.table.images() : 0;
  if (s.table)
    for (int64_t m = 0; m < count; ++m) row_at(s.index, m, rows);
  // Workers share the columns: rows of one index meet in one worker.
  constexpr int64_t kGrain = 1 << 14;
  const int64_t grain = std::max<int64_t>(16, kGrain / (count + (s.overwrite ? rows : 0) + 1));
  context.pool.for_range(length, grain, [&](int64_t begin, int64_t end, int) {
    if (s.table && s.overwrite)
      for (int64_t k = 0; k < rows; ++k)
        std::fill(s.table.f32() + k * length + begin, s.table.f32() + k * length + end, 0.0f);
    for (int64_t m = 0; m < count; ++m) {
      const float* from = s.src.f32() + m * length;
      if (s.table) {
        float* to = s.table.f32() + row_at(s.index, m, rows) * length;
        for (int64_t i = begin; i < end; ++i) to[i] += from[i];
      }
      if (s.bias)
        for (int64_t i = begin; i < end; ++i) s.bias.f32()[i] += from[i];
    }
  });
}

}  // namespace ristretto
