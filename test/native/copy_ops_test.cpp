#include "core/op/copy/copy_strided.h"
#include "core/op/rows/gather_rows.h"

#include <numeric>

#include "check.h"

using namespace ristretto;

namespace {

guarded::vector<float> ramp(size_t count) {
  guarded::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

template <class Op>
std::string refusal(const typename Op::Arguments& arguments) {
  try {
    Op::check(arguments);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST(copies_a_block_between_other_strides) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> src = ramp(4 * 5 * 6), dst(2 * 3 * 9, -1.0f);
  CopyStridedArguments c;
  c.src = Tensor::of(src.data(), {4, 5, 6});
  c.dst = Tensor::of(dst.data(), {2, 3, 9});
  // Rows 1 and 3 of axis 0, 1..3 of axis 1, columns 1, 3, 5 -> columns 2, 4, 6 of dst.
  c.src_offset = 30 + 6 + 1;
  c.dst_offset = 2;
  c.counts = {2, 3, 3};
  c.src_strides = {60, 6, 2};
  c.dst_strides = {27, 9, 2};
  CopyStrided::check(c);
  CopyStrided::run(context, c);
  int written = 0;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 9; ++k) {
        const float got = dst[(i * 3 + j) * 9 + k];
        if (k >= 2 && k <= 6 && k % 2 == 0) {
          CHECK_EQUAL(got, src[((2 * i + 1) * 5 + j + 1) * 6 + k - 1]);
          ++written;
        } else {
          CHECK_EQUAL(got, -1.0f);
        }
      }
  CHECK_EQUAL(written, 18);
}

TEST(copies_many_rows_over_threads) {
  Context context(3, detect_cpu_features());
  guarded::vector<float> src = ramp(7 * 300 * 40), dst(7 * 500 * 40);
  CopyStridedArguments c;
  c.src = Tensor::of(src.data(), {7, 300, 40});
  c.dst = Tensor::of(dst.data(), {7, 500, 40});
  c.dst_offset = 150 * 40;
  c.counts = {7, 300, 40};
  c.src_strides = {300 * 40, 40, 1};
  c.dst_strides = {500 * 40, 40, 1};
  CopyStrided::check(c);
  CopyStrided::run(context, c);
  for (int64_t n = 0; n < 7; ++n)
    for (int64_t i = 0; i < 500 * 40; ++i) {
      const int64_t from = i - 150 * 40;
      const float expected = from >= 0 && from < 300 * 40 ? src[n * 300 * 40 + from] : 0.0f;
      CHECK_EQUAL(dst[n * 500 * 40 + i], expected, "image ", n, " element ", i);
    }
}

TEST(repeats_with_a_source_stride_of_zero) {
  Context context(1, detect_cpu_features());
  guarded::vector<float> src = ramp(6), dst(18);
  CopyStridedArguments c;
  c.src = Tensor::of(src.data(), {2, 3});
  c.dst = Tensor::of(dst.data(), {2, 9});
  c.counts = {2, 3, 3};
  c.src_strides = {3, 0, 1};
  c.dst_strides = {9, 3, 1};
  CopyStrided::check(c);
  CopyStrided::run(context, c);
  for (int i = 0; i < 18; ++i) CHECK_EQUAL(dst[i], src[i / 9 * 3 + i % 3]);
}

TEST(refuses_blocks_that_leave_a_tensor) {
  guarded::vector<float> src(24), dst(24);
  CopyStridedArguments good;
  good.src = Tensor::of(src.data(), {4, 6});
  good.dst = Tensor::of(dst.data(), {4, 6});
  good.counts = {4, 6};
  good.src_strides = good.dst_strides = {6, 1};
  CHECK_EQUAL(refusal<CopyStrided>(good), "");

  CopyStridedArguments c = good;
  c.src_offset = 1;
  CHECK(refusal<CopyStrided>(c).find("leaves src") != std::string::npos);
  c = good;
  c.dst_strides = {6, 2};
  CHECK(refusal<CopyStrided>(c).find("leaves dst") != std::string::npos);
  c = good;
  c.dst_strides = {0, 1};
  CHECK(refusal<CopyStrided>(c).find("stride 0") != std::string::npos);
  c = good;
  c.src_strides = {int64_t{1} << 53, 1};
  CHECK(refusal<CopyStrided>(c).find("leaves src") != std::string::npos);
  c = good;
  c.counts = {int64_t{1} << 53, int64_t{1} << 53};
  c.src_strides = {0, 0};
  CHECK(refusal<CopyStrided>(c) != "");
  c = good;
  c.counts = {4, -1};
  CHECK(refusal<CopyStrided>(c).find("negative") != std::string::npos);
  c = good;
  c.counts = {0, 6};
  c.src_offset = 1 << 20;
  CHECK_EQUAL(refusal<CopyStrided>(c), "");
  Context context(1, detect_cpu_features());
  CopyStrided::run(context, c);
}

TEST(gathers_rows_and_refuses_others) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> table = ramp(12), bias = {10, 20, 30}, index = {3, 0, 2.75f, 3}, dst(12);
  GatherRowsArguments g;
  g.table = Tensor::of(table.data(), {4, 3});
  g.index = Tensor::of(index.data(), {4});
  g.bias = Tensor::of(bias.data(), {3});
  g.dst = Tensor::of(dst.data(), {4, 3});
  GatherRows::check(g);
  GatherRows::run(context, g);
  const int rows[] = {3, 0, 2, 3};
  for (int m = 0; m < 4; ++m)
    for (int i = 0; i < 3; ++i) CHECK_EQUAL(dst[m * 3 + i], table[rows[m] * 3 + i] + bias[i]);
  for (float bad : {4.0f, -1.0f, -0.5f, std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
    index[1] = bad;
    bool refused = false;
    try {
      GatherRows::run(context, g);
    } catch (const Error& e) {
      refused = std::string(e.what()).find("number 1") != std::string::npos;
    }
    CHECK(refused, "for index ", bad);
  }
}
