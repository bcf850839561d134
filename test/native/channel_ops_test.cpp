#include "core/op/elementwise/affine.h"
#include "core/op/elementwise/prelu.h"
#include "core/op/normalization/batch_norm.h"
#include "core/op/normalization/mvn.h"

#include <cmath>
#include <random>

#include "check.h"

using namespace ristretto;

namespace {

guarded::vector<float> random_values(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.5f, 2.0f);
  guarded::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

// Images of `image` elements, `gap` elements apart.
Tensor sliced(float* data, std::initializer_list<int64_t> dims, int64_t gap) {
  Tensor tensor = Tensor::of(data, dims);
  tensor.image_stride += gap;
  return tensor;
}

bool near(double a, double b, double tolerance = 1e-6) {
  return std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
}

}  // namespace

TEST(affine_broadcasts_over_the_other_axes) {
  Context context(3, detect_cpu_features());
  const guarded::vector<float> src = random_values(5 * 6 * 7 * 8, 1), scale = random_values(5 * 6 * 7 * 8, 2),
                               bias = random_values(5 * 6 * 7 * 8, 3);
  const int64_t dims[] = {5, 6, 7, 8};
  for (int axis = 0; axis <= 4; ++axis)
    for (int axes = 0; axis + axes <= 4; ++axes) {
      guarded::vector<float> dst(src.size());
      AffineArguments a;
      a.src = Tensor::of(const_cast<float*>(src.data()), {5, 6, 7, 8});
      a.dst = Tensor::of(dst.data(), {5, 6, 7, 8});
      a.axis = axis;
      a.axes = axes;
      int64_t channels = 1, inner = 1;
      for (int i = axis; i < axis + axes; ++i) channels *= dims[i];
      for (int i = axis + axes; i < 4; ++i) inner *= dims[i];
      a.scale = Tensor::of(const_cast<float*>(scale.data()), {channels});
      a.bias = Tensor::of(const_cast<float*>(bias.data()), {channels});
      Affine::check(a);
      Affine::run(context, a);
      for (int64_t i = 0; i < int64_t(dst.size()); ++i) {
        const int64_t channel = i / inner % channels;
        const float product = src[i] * scale[channel];
        CHECK_EQUAL(dst[i], product + bias[channel], "axis ", axis, " axes ", axes, " element ", i);
      }
    }
}

TEST(affine_leaves_what_lies_between_images) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> memory = random_values(4 * 50, 4), before = memory, scale = {2, 3};
  AffineArguments a;
  a.src = a.dst = sliced(memory.data(), {4, 2, 10}, 30);
  a.scale = Tensor::of(scale.data(), {2});
  a.axis = 1;
  a.axes = 1;
  Affine::check(a);
  Affine::run(context, a);
  for (int i = 0; i < 200; ++i)
    CHECK_EQUAL(memory[i], i % 50 < 20 ? before[i] * scale[i % 50 / 10] : before[i], "element ", i);
}

TEST(prelu_has_a_slope_per_channel_or_one) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> src = random_values(3 * 4 * 5, 5), slope = {0.1f, -0.5f, 0, 2}, dst(src.size());
  PreluArguments p;
  p.src = Tensor::of(src.data(), {3, 4, 5});
  p.dst = Tensor::of(dst.data(), {3, 4, 5});
  for (int64_t count : {4, 1}) {
    p.slope = Tensor::of(slope.data(), {count});
    Prelu::check(p);
    Prelu::run(context, p);
    for (size_t i = 0; i < src.size(); ++i)
      CHECK_EQUAL(dst[i], src[i] > 0 ? src[i] : src[i] * slope[count == 1 ? 0 : i / 5 % 4]);
  }
}

TEST(batch_norm_by_stored_sums) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> src = random_values(2 * 3 * 4, 6), dst(src.size());
  guarded::vector<float> mean = {3, -6, 9}, variance = {6, 12, 3}, weight = {3};
  BatchNormArguments b;
  b.src = Tensor::of(src.data(), {2, 3, 4});
  b.dst = Tensor::of(dst.data(), {2, 3, 4});
  b.mean = Tensor::of(mean.data(), {3});
  b.variance = Tensor::of(variance.data(), {3});
  b.weight = Tensor::of(weight.data(), {1});
  b.eps = 0.5f;
  for (float stored : {3.0f, 0.0f}) {
    weight[0] = stored;
    BatchNorm::check(b);
    BatchNorm::run(context, b);
    for (size_t i = 0; i < src.size(); ++i) {
      const int c = int(i / 4 % 3);
      const double m = stored ? mean[c] / stored : 0, v = stored ? variance[c] / stored : 0;
      CHECK(near(dst[i], (src[i] - m) / std::sqrt(v + 0.5)), "element ", i);
    }
    CHECK_EQUAL(weight[0], stored);
  }
}

TEST(batch_norm_by_the_batch_updates_the_sums) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> src = random_values(4 * 3 * 5, 7), kept = src;
  guarded::vector<float> mean = {1, 2, 3}, variance = {4, 5, 6}, weight = {2};
  BatchNormArguments b;
  b.src = b.dst = Tensor::of(src.data(), {4, 3, 5});
  b.mean = Tensor::of(mean.data(), {3});
  b.variance = Tensor::of(variance.data(), {3});
  b.weight = Tensor::of(weight.data(), {1});
  b.moving_average_fraction = 0.75f;
  b.update = true;
  BatchNorm::check(b);
  BatchNorm::run(context, b);
  for (int c = 0; c < 3; ++c) {
    double m = 0, v = 0;
    for (int n = 0; n < 4; ++n)
      for (int i = 0; i < 5; ++i) m += kept[(n * 3 + c) * 5 + i] / 20.0;
    for (int n = 0; n < 4; ++n)
      for (int i = 0; i < 5; ++i) v += std::pow(kept[(n * 3 + c) * 5 + i] - m, 2) / 20.0;
    for (int n = 0; n < 4; ++n)
      for (int i = 0; i < 5; ++i) {
        const int at = (n * 3 + c) * 5 + i;
        CHECK(near(src[at], (kept[at] - m) / std::sqrt(v + 1e-5)), "channel ", c);
      }
    CHECK(near(mean[c], 0.75 * (c + 1) + m));
    CHECK(near(variance[c], 0.75 * (c + 4) + v * 20 / 19));
  }
  CHECK_EQUAL(weight[0], 0.75f * 2 + 1);
}

TEST(mvn_normalises_each_row) {
  Context context(2, detect_cpu_features());
  guarded::vector<float> src = random_values(6 * 50, 8), dst(src.size());
  for (bool divide : {true, false}) {
    MvnArguments m;
    m.src = Tensor::of(src.data(), {2, 3, 50});
    m.dst = Tensor::of(dst.data(), {2, 3, 50});
    m.rows = 6;
    m.normalize_variance = divide;
    m.eps = 0.25f;
    Mvn::check(m);
    Mvn::run(context, m);
    for (int row = 0; row < 6; ++row) {
      double mean = 0, variance = 0;
      for (int i = 0; i < 50; ++i) mean += src[row * 50 + i] / 50.0;
      for (int i = 0; i < 50; ++i) variance += std::pow(src[row * 50 + i] - mean, 2) / 50.0;
      for (int i = 0; i < 50; ++i)
        CHECK(near(dst[row * 50 + i], (src[row * 50 + i] - mean) / (divide ? std::sqrt(variance) + 0.25 : 1)),
              "row ", row);
    }
  }
}
