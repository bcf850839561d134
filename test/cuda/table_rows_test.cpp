// Rows gathered from a table by their numbers, and scattered back: on the device as on the processor.
#include <cmath>

#include "core/op/rows/gather_rows.h"
#include "core/op/rows/scatter_rows.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t rows, length, count;  // of the table, and rows gathered
};
// Whole vectors and not, few rows for many numbers, more columns than a block has threads.
const Problem kProblems[] = {{7, 12, 40}, {300, 5, 33}, {3, 1, 700}, {40, 301, 9}, {1, 4, 2}, {5, 6, 0}};

// Rows in no order, some of them often; their whole part counts.
Twin indices(const Problem& p, uint32_t seed) {
  guarded::vector<float> all(size_t(p.count));
  for (float& index : all) {
    seed = seed * 1664525u + 1013904223u;
    index = float((seed >> 9) % uint32_t(seed & 512 ? std::min<int64_t>(p.rows, 2) : p.rows)) + 0.25f;
  }
  return Twin({p.count}, all);
}

std::string error_of(const auto& arguments) {
  test_context().begin_op("words");
  CHECK(cuda::run(test_context(), arguments), "the device left the op to the processor");
  try {
    test_context().synchronize();
  } catch (const Error& e) {
    return e.what();
  }
  return "none";
}

}  // namespace

TEST(gathered_rows_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool bias : {false, true})
      for (int64_t offset : {0, 1}) {
        Twin table({p.rows, p.length}, 1), index = indices(p, 2), row({p.length}, 3);
        Twin dst({p.count, p.length}, 4, 0, offset);
        run_both<GatherRows>([&](bool device) {
          GatherRowsArguments g;
          g.table = table.tensor(device);
          g.index = index.tensor(device);
          if (bias) g.bias = row.tensor(device);
          g.dst = dst.tensor(device);
          return g;
        });
        dst.check_equal("rows ", p.rows, " length ", p.length, " count ", p.count, " bias ", bias);
      }
}

TEST(scattered_rows_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool overwrite : {false, true})
      for (int parts : {1, 2, 3}) {
        Twin src({p.count, p.length}, 1), index = indices(p, 2), table({p.rows, p.length}, 3);
        Twin bias({p.length}, 4);
        run_both<ScatterRows>([&](bool device) {
          ScatterRowsArguments s;
          s.src = src.tensor(device);
          s.index = index.tensor(device);
          if (parts & 1) s.table = table.tensor(device);
          if (parts & 2) s.bias = bias.tensor(device);
          s.overwrite = overwrite;
          return s;
        });
        table.check_equal("rows ", p.rows, " length ", p.length, " count ", p.count, " overwrite ",
                          overwrite);
        bias.check_equal("length ", p.length, " count ", p.count);
      }
}

TEST(a_number_outside_the_table_is_told_with_the_op) {
  const std::string told = "words: an index is outside the table's rows";
  for (const float wrong : {5.0f, -1.0f, -0.5f, NAN, INFINITY, 1e20f}) {
    Twin table({5, 6}, 1), index({3}, guarded::vector<float>{4, wrong, 0}), rows({3, 6}, 2);
    const GatherRowsArguments gather{table.tensor(true), index.tensor(true), {}, rows.tensor(true)};
    CHECK_EQUAL(error_of(gather), told, "index ", wrong);
    for (int64_t i = 0; i < 6; ++i) {
      const auto at = [i](const Twin& twin, int64_t row) { return twin.tensor(true).f32()[row * 6 + i]; };
      CHECK_EQUAL(at(rows, 0), at(table, 4), "index ", wrong);
      CHECK_EQUAL(at(rows, 2), at(table, 0), "index ", wrong);
      CHECK_EQUAL(at(rows, 1), rows.tensor(false).f32()[6 + i], "index ", wrong);
    }
    ScatterRowsArguments scatter;
    scatter.src = rows.tensor(true), scatter.index = index.tensor(true), scatter.table = table.tensor(true);
    CHECK_EQUAL(error_of(scatter), told, "index ", wrong);
    index.tensor(true).f32()[1] = 4.9f;
    CHECK_EQUAL(error_of(gather), std::string("none"));
    CHECK_EQUAL(error_of(scatter), std::string("none"));
  }
}

TEST(a_table_without_rows_has_no_number) {
  Twin table({0, 6}, 1), index({2}, guarded::vector<float>{0, 0}), rows({2, 6}, 2);
  const GatherRowsArguments gather{table.tensor(true), index.tensor(true), {}, rows.tensor(true)};
  CHECK_EQUAL(error_of(gather), std::string("words: an index is outside the table's rows"));
  ScatterRowsArguments scatter;
  scatter.src = rows.tensor(true), scatter.index = index.tensor(true), scatter.table = table.tensor(true);
  CHECK_EQUAL(error_of(scatter), std::string("words: an index is outside the table's rows"));
}
