// Ops on rows: on the device as on the processor.
#include "core/op/normalization/mvn.h"
#include "core/op/normalization/mvn_gradient.h"
#include "core/op/rows/reduce.h"
#include "core/op/rows/reduce_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t rows, length;
};
const Problem kProblems[] = {{1, 5000}, {70, 33}, {3, 1}, {2, 768}};
constexpr ReduceOperation kOperations[] = {ReduceOperation::sum, ReduceOperation::absolute_sum,
                                           ReduceOperation::square_sum};

}  // namespace

TEST(reductions_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (ReduceOperation operation : kOperations) {
      Twin src({p.rows, p.length}, 1), dst({p.rows}, 2), src_diff({p.rows, p.length}, 3);
      run_both<Reduce>([&](bool device) {
        return ReduceArguments{src.tensor(device), dst.tensor(device), operation, 0.3f};
      });
      dst.check_close(1e-6, "operation ", int(operation), " length ", p.length);
      run_both<ReduceGradient>([&](bool device) {
        // As the processor left it: both sides start from the same.
        return ReduceGradientArguments{src.tensor(device), dst.tensor(false), src_diff.tensor(device),
                                       operation, 0.3f};
      });
      src_diff.check_equal("operation ", int(operation), " length ", p.length);
    }
}

TEST(mvn_equals_the_processors) {
  for (const Problem& p : kProblems)
    for (bool variance : {false, true})
      for (bool in_place : {false, true}) {
        Twin src({p.rows, p.length}, 1), dst({p.rows, p.length}, 2);
        run_both<Mvn>([&](bool device) {
          return MvnArguments{src.tensor(device), (in_place ? src : dst).tensor(device), p.rows, variance};
        });
        (in_place ? src : dst).check_close(1e-6, "length ", p.length, " variance ", variance);
      }
}

TEST(mvn_gradients_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool variance : {false, true}) {
      if (variance && p.length == 1) continue;  // the divisor is eps alone
      Twin src({p.rows, p.length}, 1), diff({p.rows, p.length}, 2);
      run_both<MvnGradient>([&](bool device) {
        MvnGradientArguments m;
        if (variance) m.src = src.tensor(device);
        m.dst_diff = m.src_diff = diff.tensor(device);
        m.rows = p.rows;
        m.normalize_variance = variance;
        return m;
      });
      diff.check_close(1e-6, "length ", p.length, " variance ", variance);
    }
}
