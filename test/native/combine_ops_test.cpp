#include "core/op/elementwise/eltwise.h"
#include "core/op/loss/contrastive_loss.h"
#include "core/op/rows/reduce.h"

#include <cmath>
#include <random>

#include "check.h"

using namespace ristretto;

namespace {

guarded::vector<float> random_values(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  guarded::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace

TEST(eltwise_may_write_over_any_source) {
  Context context(2, detect_cpu_features());
  const guarded::vector<float> a = random_values(3 * 5000, 1), b = random_values(3 * 5000, 2),
                               c = random_values(3 * 5000, 3);
  for (EltwiseOperation operation :
       {EltwiseOperation::sum, EltwiseOperation::product, EltwiseOperation::maximum})
    for (int target = 0; target < 4; ++target) {
      guarded::vector<float> values[] = {a, b, c, guarded::vector<float>(a.size())};
      EltwiseArguments e;
      for (int i = 0; i < 3; ++i) e.srcs.push_back(Tensor::of(values[i].data(), {3, 5000}));
      e.dst = Tensor::of(values[target].data(), {3, 5000});
      e.operation = operation;
      if (operation == EltwiseOperation::sum) e.coefficients = {1, -0.5f, 2};
      Eltwise::check(e);
      Eltwise::run(context, e);
      for (size_t i = 0; i < a.size(); ++i) {
        float expected = 0;
        if (operation == EltwiseOperation::sum) expected = a[i] - 0.5f * b[i] + 2 * c[i];
        if (operation == EltwiseOperation::product) expected = a[i] * b[i] * c[i];
        if (operation == EltwiseOperation::maximum) expected = std::fmax(std::fmax(a[i], b[i]), c[i]);
        CHECK_EQUAL(values[target][i], expected, "target ", target, " element ", i);
      }
    }
}

TEST(eltwise_takes_slices_of_larger_tensors) {
  Context context(2, detect_cpu_features());
  const guarded::vector<float> src = random_values(4 * 30, 4);
  guarded::vector<float> dst(4 * 20, 7.0f);
  EltwiseArguments e;
  e.srcs = {Tensor::of(const_cast<float*>(src.data()), {4, 12})};
  e.srcs[0].image_stride = 30;
  e.dst = Tensor::of(dst.data(), {4, 12});
  e.dst.image_stride = 20;
  Eltwise::check(e);
  Eltwise::run(context, e);
  for (int i = 0; i < 80; ++i)
    CHECK_EQUAL(dst[i], i % 20 < 12 ? src[i / 20 * 30 + i % 20] : 7.0f, "element ", i);
}

TEST(reduce_sums_rows) {
  Context context(2, detect_cpu_features());
  const guarded::vector<float> src = random_values(7 * 1000, 5);
  guarded::vector<float> dst(7);
  ReduceArguments r;
  r.src = Tensor::of(const_cast<float*>(src.data()), {7, 1000});
  r.dst = Tensor::of(dst.data(), {7});
  r.coefficient = -2;
  for (ReduceOperation operation :
       {ReduceOperation::sum, ReduceOperation::absolute_sum, ReduceOperation::square_sum}) {
    r.operation = operation;
    Reduce::check(r);
    Reduce::run(context, r);
    for (int row = 0; row < 7; ++row) {
      double sum = 0;
      for (int i = 0; i < 1000; ++i) {
        const double x = src[row * 1000 + i];
        sum += operation == ReduceOperation::sum            ? x
               : operation == ReduceOperation::absolute_sum ? std::fabs(x)
                                                            : x * x;
      }
      CHECK_EQUAL(dst[row], -2 * float(sum), "row ", row);
    }
  }
}

TEST(contrastive_loss_of_equal_and_other_pairs) {
  Context context(1, detect_cpu_features());
  // Distances 5, 5, 1 and 0.
  guarded::vector<float> a = {3, 4, 3, 4, 1, 0, 2, 2}, b = {0, 0, 0, 0, 0, 0, 2, 2}, similar = {1, 0, 0, 0};
  guarded::vector<float> dst(1);
  ContrastiveLossArguments c;
  c.a = Tensor::of(a.data(), {4, 2});
  c.b = Tensor::of(b.data(), {4, 2});
  c.similar = Tensor::of(similar.data(), {4});
  c.dst = Tensor::of(dst.data(), {1});
  c.margin = 3;
  ContrastiveLoss::check(c);
  ContrastiveLoss::run(context, c);
  CHECK_EQUAL(dst[0], (25 + 0 + 4 + 9) / 8.0f);
  c.legacy = true;
  ContrastiveLoss::run(context, c);
  CHECK_EQUAL(dst[0], (25 + 0 + 2 + 3) / 8.0f);
}
