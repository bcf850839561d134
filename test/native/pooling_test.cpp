// Also run through SIMDe.
#include "core/op/pooling/pooling.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

using namespace ristretto;

namespace {

struct Shape {
  int64_t images, channels, height, width, kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  bool ceil;
};

int64_t pooled(int64_t length, int64_t kernel, int64_t stride, int64_t pad, bool ceil) {
  const int64_t room = length + 2 * pad - kernel;
  int64_t count = (ceil ? (room + stride - 1) / stride : room / stride) + 1;
  if (pad && (count - 1) * stride >= length + pad) --count;
  return count;
}

const Shape shapes[] = {
    {2, 3, 111, 111, 3, 3, 2, 2, 0, 0, true}, {1, 2, 55, 55, 3, 3, 2, 2, 0, 0, true},
    {1, 2, 27, 27, 3, 3, 2, 2, 0, 0, true},   {2, 2, 11, 9, 3, 3, 2, 2, 1, 1, true},
    {1, 2, 13, 13, 13, 13, 1, 1, 0, 0, true}, {1, 3, 7, 40, 2, 3, 2, 1, 0, 0, true},
    {1, 1, 33, 70, 5, 4, 3, 3, 2, 1, true},   {1, 1, 64, 64, 2, 2, 2, 2, 0, 0, false},
    {1, 1, 20, 35, 3, 3, 1, 1, 1, 1, true},   {1, 1, 6, 6, 1, 1, 3, 3, 0, 0, true},
    {1, 1, 5, 5, 1, 1, 3, 3, 0, 0, true},     {1, 1, 1, 1, 3, 3, 2, 2, 1, 1, true},
    {1, 1, 2, 37, 3, 40, 2, 4, 0, 2, true},   {1, 2, 16, 16, 3, 3, 1, 2, 0, 0, false},
    {2, 5, 1, 3, 1, 2, 1, 1, 0, 0, true},     {2, 5, 2, 2, 2, 2, 2, 2, 0, 0, true},
    {2, 17, 3, 3, 2, 2, 1, 1, 1, 1, true},    {2, 5, 5, 5, 3, 3, 2, 2, 0, 0, true},
    {2, 5, 7, 7, 3, 3, 1, 1, 1, 1, true},     {2, 17, 7, 7, 7, 7, 1, 1, 0, 0, true},
};

// Runs every row that this machine supports and compares it with the definition.
void compare_rows(PoolingKind kind, double tolerance) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const CpuFeatures features = detect_cpu_features();
  int rows_run = 0;
  for (const Shape& s : shapes) {
    const int64_t P = pooled(s.height, s.kernel_h, s.stride_h, s.pad_h, s.ceil);
    const int64_t Q = pooled(s.width, s.kernel_w, s.stride_w, s.pad_w, s.ceil);
    // Both sides as channel slices of a larger tensor.
    const int64_t src_image = s.channels * s.height * s.width, dst_image = s.channels * P * Q, gap = 5;
    guarded::vector<float> src(size_t(s.images * (src_image + gap) - gap));
    for (float& x : src) x = normal(random);
    src[0] = -std::numeric_limits<float>::infinity();
    guarded::vector<float> expected(size_t(s.images * (dst_image + gap) - gap), 42);
    PoolingArguments a;
    a.kind = kind;
    a.src = Tensor::of(src.data(), {s.images, s.channels, s.height, s.width});
    a.src.image_stride = src_image + gap;
    a.dst = Tensor::of(expected.data(), {s.images, s.channels, P, Q});
    a.dst.image_stride = dst_image + gap;
    a.kernel_h = s.kernel_h, a.kernel_w = s.kernel_w;
    a.stride_h = s.stride_h, a.stride_w = s.stride_w;
    a.pad_h = s.pad_h, a.pad_w = s.pad_w;
    Pooling::check(a);
    Context context(2, features);
    pooling_ref(context, a);
    for (const auto& row : Pooling::rows()) {
      guarded::vector<float> actual(expected.size(), 42);
      a.dst.data = actual.data();
      if (!row.supports(a, features)) continue;
      ++rows_run;
      row.run(context, a);
      for (size_t i = 0; i < actual.size(); ++i)
        CHECK(actual[i] == expected[i] || std::fabs(double(actual[i]) - expected[i]) <= tolerance, row.name,
              " ", s.height, "x", s.width, " at ", i, ": ", actual[i], " for ", expected[i]);
    }
  }
  CHECK(rows_run >= int(2 * std::size(shapes)));
}

}  // namespace

TEST(maxima_equal_the_definition) { compare_rows(PoolingKind::max, 0); }

TEST(means_are_close_to_the_definition) { compare_rows(PoolingKind::average, 1e-5); }

TEST(nan_never_wins) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  guarded::vector<float> src(40 * 40, nan), dst(39 * 39);
  src[41] = -3;
  PoolingArguments a;
  a.src = Tensor::of(src.data(), {1, 1, 40, 40});
  a.dst = Tensor::of(dst.data(), {1, 1, 39, 39});
  a.kernel_h = a.kernel_w = 2;
  Context context(1, detect_cpu_features());
  for (const auto& row : Pooling::rows()) {
    if (!row.supports(a, context.features)) continue;
    row.run(context, a);
    CHECK_EQUAL(dst[0], -3.0f, row.name);
    CHECK_EQUAL(dst[5], -std::numeric_limits<float>::max(), row.name);
  }
}

TEST(the_mask_holds_the_first_of_equal_maxima) {
  guarded::vector<float> src = {1, 2, 0, 2, 2, 0}, dst(2), mask(2);
  PoolingArguments a;
  a.src = Tensor::of(src.data(), {1, 1, 2, 3});
  a.dst = Tensor::of(dst.data(), {1, 1, 1, 2});
  a.mask = Tensor::of(mask.data(), {1, 1, 1, 2});
  a.kernel_h = a.kernel_w = 2;
  Context context(1, detect_cpu_features());
  Pooling::check(a);
  Pooling::run(context, a);
  CHECK_EQUAL(mask[0], 1.0f);
  CHECK_EQUAL(mask[1], 1.0f);
}

TEST(weighted_means) {
  guarded::vector<float> src = {1, 3, 0, 0}, dst(1);
  PoolingArguments a;
  a.kind = PoolingKind::weighted;
  a.src = Tensor::of(src.data(), {1, 1, 2, 2});
  a.dst = Tensor::of(dst.data(), {1, 1, 1, 1});
  a.kernel_h = a.kernel_w = 2;
  Context context(1, detect_cpu_features());
  Pooling::run(context, a);
  CHECK_EQUAL(dst[0], 2.5f);
}

TEST(samples_by_the_share_of_the_sum) {
  guarded::vector<float> src, dst(4000);
  for (int i = 0; i < 4000; ++i) src.insert(src.end(), {1, 3, 0, 0});
  PoolingArguments a;
  a.kind = PoolingKind::sampled;
  a.src = Tensor::of(src.data(), {1, 4000, 2, 2});
  a.dst = Tensor::of(dst.data(), {1, 4000, 1, 1});
  a.kernel_h = a.kernel_w = 2;
  a.random.seed = 5;
  Context context(2, detect_cpu_features());
  Pooling::run(context, a);
  int threes = 0;
  for (float x : dst) {
    CHECK(x == 1 || x == 3, x);
    threes += x == 3;
  }
  CHECK(threes > 2900 && threes < 3100, threes);
  const guarded::vector<float> first = dst;
  Pooling::run(context, a);
  CHECK(dst == first, "the same stream draws the same");
  a.random.step = 1;
  Pooling::run(context, a);
  CHECK(dst != first);
}

TEST(refuses_what_does_not_fit) {
  guarded::vector<float> memory(16);
  PoolingArguments a;
  a.src = Tensor::of(memory.data(), {1, 1, 2, 2});
  a.dst = Tensor::of(memory.data() + 8, {1, 1, 1, 1});
  a.kernel_h = a.kernel_w = 2;
  Pooling::check(a);
  a.pad_h = 2;
  bool refused = false;
  try {
    Pooling::check(a);
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused);
}
