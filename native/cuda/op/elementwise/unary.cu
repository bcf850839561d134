// Functions of one number and their slopes: the arithmetic is the processor's source. Where a function comes
// from the device's library (exp, log, pow, tanh) its last bit may differ.
#include "core/op/elementwise/unary_functions.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

template <class Function>
struct OfOne {
  Function function;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[1]) const { return function(x[0]); }
};
template <class Slope>
struct OfTwo {
  Slope slope;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[2]) const { return slope(x[0], x[1]); }
};

}  // namespace

bool run(Context& context, const UnaryArguments& u) {
  with_function(u, [&]<class Function>(const Function& function) {
    map<1>(context, "unary", {u.src}, u.dst, OfOne<Function>{function});
  });
  return true;
}

bool run(Context& context, const UnaryGradientArguments& u) {
  with_slope(u, [&]<class Slope>(const Slope& slope) {
    map<2>(context, "unary_gradient", {u.values, u.dst_diff}, u.src_diff, OfTwo<Slope>{slope});
  });
  return true;
}

}  // namespace ristretto::cuda
