// Softmax and its gradient, sums of squares: on the device as on the processor.
#include "core/op/rows/softmax.h"

#include "core/op/rows/softmax_gradient.h"
#include "core/op/rows/sum_of_squares.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  std::initializer_list<int64_t> dims;
  int64_t axis;
};
const Problem kProblems[] = {{{3, 1000}, 1}, {{2, 7, 5, 6}, 1}, {{5, 2}, 1}, {{4, 3, 9}, 2}, {{6, 40}, 0}};

}  // namespace

TEST(softmax_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (bool in_place : {false, true}) {
      Twin src(p.dims, 1), dst(p.dims, 2);
      run_both<Softmax>([&](bool device) {
        return SoftmaxArguments{src.tensor(device), (in_place ? src : dst).tensor(device), p.axis};
      });
      (in_place ? src : dst).check_close(1e-6, "axis ", p.axis);
    }
}

TEST(large_scores_do_not_overflow) {
  Twin data({2, 3}, guarded::vector<float>{1000, 999, -1000, 3e38f, 3e38f, 0});
  run_both<Softmax>([&](bool device) { return SoftmaxArguments{data.tensor(device), data.tensor(device)}; });
  data.check_close(1e-6);
  CHECK_EQUAL(data.tensor(true).f32()[3], 0.5f);
}

TEST(gradients_equal_the_processors) {
  for (const Problem& p : kProblems) {
    Twin dst(p.dims, 1), diff(p.dims, 3), result(p.dims, 2);
    run_both<SoftmaxGradient>([&](bool device) {
      return SoftmaxGradientArguments{dst.tensor(device), diff.tensor(device), result.tensor(device), p.axis};
    });
    result.check_close(1e-6, "axis ", p.axis);
  }
}

TEST(sums_of_squares_equal_the_processors) {
  for (size_t tensors : {0, 1, 3, 100}) {
    std::vector<Twin> srcs;
    for (size_t t = 0; t < tensors; ++t)
      srcs.emplace_back(std::initializer_list<int64_t>{tensors < 10 ? int64_t(5000 * t + 3) : 7},
                        uint32_t(t + 1), 0, int64_t(t % 3));
    Shared<int32_t> sums[2] = {Shared<int32_t>(3), Shared<int32_t>(3)};
    run_both<SumOfSquares>([&](bool device) {
      SumOfSquaresArguments s;
      for (const Twin& src : srcs) s.srcs.push_back(src.tensor(device));
      // Four bytes behind a place that a float64 could take.
      s.dst = Tensor::of(reinterpret_cast<float*>(sums[device].data() + 1), {2});
      s.dst.type = DataType::i32;
      return s;
    });
    double here, there;
    std::memcpy(&here, sums[0].data() + 1, sizeof here);
    std::memcpy(&there, sums[1].data() + 1, sizeof there);
    CHECK(std::fabs(here - there) <= 1e-12 * here, there, " for ", here);
    CHECK(tensors == 0 || here > 0);
  }
}
