// Pooling and its gradient: on the device as on the processor.
#include "core/op/pooling/pooling.h"

#include "core/op/pooling/pooling_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t images, channels, height, width, out_height, out_width;
  int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  int64_t gap = 0;
};
const Problem kProblems[] = {
    {2, 3, 13, 15, 6, 7, 3, 3, 2, 2, 0, 0},
    {1, 2, 9, 9, 5, 5, 2, 2, 2, 2, 1, 1, 5},    // clipped windows, slices
    {2, 2, 7, 8, 9, 8, 3, 3, 1, 1, 2, 1},       // more windows than rows
    {1, 3, 11, 6, 4, 2, 4, 3, 3, 2, 1, 0},      // rectangles
    {2, 5, 9, 11, 1, 1, 9, 11, 1, 1, 0, 0},     // the whole plane
    {1, 2, 20, 40, 2, 3, 12, 16, 8, 12, 2, 3},  // wide windows
    {1, 1, 4, 4, 4, 4, 1, 1, 2, 2, 0, 0},       // windows beyond the image
};

Twin src_of(const Problem& p) { return Twin({p.images, p.channels, p.height, p.width}, 1, p.gap); }
Twin dst_of(const Problem& p, uint32_t seed, int64_t gap) {
  return Twin({p.images, p.channels, p.out_height, p.out_width}, seed, gap);
}

template <class Arguments>
void set_window(Arguments& a, const Problem& p, PoolingKind kind) {
  a.kind = kind;
  a.random = {3, 5, 7, 1000};
  a.kernel_h = p.kernel_h, a.kernel_w = p.kernel_w;
  a.stride_h = p.stride_h, a.stride_w = p.stride_w;
  a.pad_h = p.pad_h, a.pad_w = p.pad_w;
}

}  // namespace

TEST(pooling_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (PoolingKind kind :
         {PoolingKind::max, PoolingKind::average, PoolingKind::weighted, PoolingKind::sampled}) {
      Twin src = src_of(p), dst = dst_of(p, 2, p.gap), mask = dst_of(p, 3, 0);
      run_both<Pooling>([&](bool device) {
        PoolingArguments a;
        a.src = src.tensor(device);
        a.dst = dst.tensor(device);
        if (kind == PoolingKind::max) a.mask = mask.tensor(device);
        set_window(a, p, kind);
        return a;
      });
      const auto where = check::text("kind ", int(kind), " kernel ", p.kernel_h, " x ", p.kernel_w);
      mask.check_equal(where);
      if (kind == PoolingKind::average)
        dst.check_close(1e-6, where);
      else
        dst.check_equal(where);
    }
}

TEST(a_nan_is_no_maximum) {
  const float nan = float_of(0x7FC00000u);
  Twin src({1, 1, 2, 4}, guarded::vector<float>{1, nan, nan, nan, nan, 2, nan, nan}), dst({1, 1, 1, 2}, 5);
  run_both<Pooling>([&](bool device) {
    PoolingArguments a;
    a.src = src.tensor(device);
    a.dst = dst.tensor(device);
    a.kernel_h = a.kernel_w = a.stride_h = a.stride_w = 2;
    return a;
  });
  dst.check_equal();
  CHECK_EQUAL(dst.tensor(true).f32()[0], 2.0f);
}

TEST(gradients_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (PoolingKind kind :
         {PoolingKind::max, PoolingKind::average, PoolingKind::weighted, PoolingKind::sampled})
      for (int way = 0; way < (kind == PoolingKind::max ? 3 : 2); ++way) {
        Twin src = src_of(p), dst_diff = dst_of(p, 2, 0);
        Twin src_diff({p.images, p.channels, p.height, p.width}, 9, 2 * p.gap);
        run_both<PoolingGradient>([&](bool device) {
          PoolingGradientArguments a;
          if (kind != PoolingKind::average) a.src = src.tensor(device);
          a.dst_diff = dst_diff.tensor(device);
          a.src_diff = src_diff.tensor(device);
          a.accumulate = way == 1;
          a.rectified = way == 2;
          set_window(a, p, kind);
          return a;
        });
        src_diff.check_equal("kind ", int(kind), " kernel ", p.kernel_h, " x ", p.kernel_w);
      }
}

// A window of zeros has nothing to give: what stands in the gradient stays, to the sign of a zero.
TEST(windows_without_a_weighted_mean_leave_the_gradient) {
  Twin src({1, 1, 2, 4}, guarded::vector<float>{0, 0, 1, 2, 0, 0, -5, 1}), dst_diff({1, 1, 1, 2}, 2);
  Twin src_diff({1, 1, 2, 4}, guarded::vector<float>{-0.0f, 1, -0.0f, 2, 3, -0.0f, 0, 4});
  run_both<PoolingGradient>([&](bool device) {
    PoolingGradientArguments a;
    a.src = src.tensor(device);
    a.dst_diff = dst_diff.tensor(device);
    a.src_diff = src_diff.tensor(device);
    a.kind = PoolingKind::weighted;
    a.kernel_h = a.kernel_w = a.stride_h = a.stride_w = 2;
    a.accumulate = true;
    return a;
  });
  src_diff.check_equal();
  CHECK_EQUAL(bits_of(src_diff.tensor(true).f32()[0]), bits_of(-0.0f));
}

// Equal neighbours: the first of them has the whole gradient.
TEST(of_equal_maxima_the_first_gets_the_gradient) {
  Twin src({1, 1, 6, 6}, guarded::vector<float>(36, 1.0f)), dst_diff({1, 1, 3, 3}, 2),
      src_diff({1, 1, 6, 6}, 3);
  run_both<PoolingGradient>([&](bool device) {
    PoolingGradientArguments a;
    a.src = src.tensor(device);
    a.dst_diff = dst_diff.tensor(device);
    a.src_diff = src_diff.tensor(device);
    a.kernel_h = a.kernel_w = 3;
    a.stride_h = a.stride_w = 2;
    return a;
  });
  src_diff.check_equal();
}
