// Ops with numbers for each channel, and sums over channels: on the device as on the processor.
#include "core/op/elementwise/affine.h"
#include "core/op/elementwise/affine_gradient.h"
#include "core/op/elementwise/prelu.h"
#include "core/op/elementwise/prelu_gradient.h"
#include "core/op/normalization/batch_norm.h"
#include "core/op/normalization/batch_norm_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  std::initializer_list<int64_t> dims;
  int64_t gap;
};
// Whole vectors; odd planes; slices; no planes; more parts than one block has.
const Problem kProblems[] = {
    {{2, 3, 4, 8}, 0}, {{3, 5, 3, 7}, 0}, {{3, 4, 5, 5}, 40}, {{7, 33}, 0}, {{6, 2, 31, 37}, 0}};

int64_t channels_of(const Problem& p) { return p.dims.begin()[1]; }

Twin positive(std::initializer_list<int64_t> dims, uint32_t seed) {
  guarded::vector<float> values = random_values(Tensor::of(nullptr, dims).count(), seed);
  for (float& value : values) value = std::fabs(value) + 0.5f;
  return Twin(dims, values);
}

}  // namespace

TEST(affine_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (int parts = 0; parts < 4; ++parts)
      for (int64_t axes : {1, 0}) {
        const int64_t count = axes ? channels_of(p) : 1;
        Twin src(p.dims, 1, p.gap), dst(p.dims, 2, 3 * p.gap), scale({count}, 3), bias({count}, 4);
        run_both<Affine>([&](bool device) {
          AffineArguments a;
          a.src = src.tensor(device);
          a.dst = dst.tensor(device);
          if (parts & 1) a.scale = scale.tensor(device);
          if (parts & 2) a.bias = bias.tensor(device);
          a.axis = 1, a.axes = axes;
          return a;
        });
        dst.check_equal("parts ", parts, " axes ", axes);
      }
}

TEST(affine_gradients_equal_the_processors) {
  for (const Problem& p : kProblems) {
    const int64_t channels = channels_of(p);
    Twin src(p.dims, 1, p.gap), diff(p.dims, 2), scale({channels}, 3), bias({channels}, 4);
    run_both<AffineGradient>([&](bool device) {
      AffineGradientArguments a;
      a.src = src.tensor(device);
      a.dst_diff = diff.tensor(device);
      a.scale_diff = scale.tensor(device);
      a.bias_diff = bias.tensor(device);
      a.axis = 1, a.axes = 1;
      return a;
    });
    scale.check_close(1e-6, "scale, channels ", channels);
    bias.check_close(1e-6, "bias, channels ", channels);
  }
}

TEST(prelu_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (int64_t slopes : {int64_t{1}, channels_of(p)}) {
      Twin src(p.dims, 1, p.gap), dst(p.dims, 2), slope({slopes}, 3);
      run_both<Prelu>([&](bool device) {
        return PreluArguments{src.tensor(device), dst.tensor(device), slope.tensor(device)};
      });
      dst.check_equal("slopes ", slopes);
    }
}

TEST(prelu_gradients_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (int64_t slopes : {int64_t{1}, channels_of(p)}) {
      Twin src(p.dims, 1, p.gap), diff(p.dims, 2), slope({slopes}, 3), slope_diff({slopes}, 4);
      run_both<PreluGradient>([&](bool device) {
        PreluGradientArguments a;
        a.src = src.tensor(device);
        a.slope = slope.tensor(device);
        a.dst_diff = a.src_diff = diff.tensor(device);
        a.slope_diff = slope_diff.tensor(device);
        return a;
      });
      diff.check_equal("slopes ", slopes);
      slope_diff.check_close(1e-6, "slopes ", slopes);
    }
}

TEST(batch_norm_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (bool update : {false, true})
      for (bool use : {false, true}) {
        const int64_t channels = channels_of(p);
        Twin src(p.dims, 1, p.gap), dst(p.dims, 2), mean({channels}, 3), used({2, channels}, 4);
        Twin variance = positive({channels}, 5), weight({1}, guarded::vector<float>{3.5f});
        run_both<BatchNorm>([&](bool device) {
          BatchNormArguments b;
          b.src = src.tensor(device);
          b.dst = dst.tensor(device);
          b.mean = mean.tensor(device);
          b.variance = variance.tensor(device);
          b.weight = weight.tensor(device);
          if (use) b.used = used.tensor(device);
          b.update = update;
          return b;
        });
        const double tolerance = update ? 1e-6 : 0;
        dst.check_close(tolerance, "update ", update);
        mean.check_close(tolerance);
        variance.check_close(tolerance);
        used.check_close(tolerance);
        weight.check_equal();
      }
}

TEST(nothing_stored_is_mean_and_variance_zero) {
  Twin src({2, 3, 4}, 1), dst({2, 3, 4}, 2), zeros({3}, guarded::vector<float>(3)),
      weight({1}, guarded::vector<float>{0});
  run_both<BatchNorm>([&](bool device) {
    BatchNormArguments b;
    b.src = src.tensor(device);
    b.dst = dst.tensor(device);
    b.mean = b.variance = zeros.tensor(device);
    b.weight = weight.tensor(device);
    return b;
  });
  dst.check_equal();
}

TEST(batch_norm_gradients_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool batch : {false, true}) {
      Twin src(p.dims, 1, p.gap), diff(p.dims, 2), used = positive({2, channels_of(p)}, 3);
      run_both<BatchNormGradient>([&](bool device) {
        BatchNormGradientArguments b;
        b.src = src.tensor(device);
        b.dst_diff = b.src_diff = diff.tensor(device);
        b.used = used.tensor(device);
        b.batch = batch;
        return b;
      });
      diff.check_close(batch ? 1e-6 : 0, "batch ", batch);
    }
}
