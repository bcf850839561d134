// innerProductGradient: what a fully connected layer's inputs, weights and biases add to a loss, from the
// gradient of its output.
//
//   src_diff[m,k]      = sum over n of dst_diff[m,n] * weights[n,k]
//   weights_diff[n,k] += sum over m of dst_diff[m,n] * src[m,k]
//   bias_diff[n]      += sum over m of dst_diff[m,n]
#pragma once

#include "../shared_fields.h"
#include "inner_product.h"

namespace ristretto {

struct InnerProductGradientArguments {
  Tensor src;           // (M, K); rows may lie apart, as those of dst_diff and src_diff may
  Tensor weights;       // (N, K), or (K, N) with transpose
  Tensor dst_diff;      // (M, N)
  Tensor src_diff;      // of src's shape, overwritten; or empty
  Tensor weights_diff;  // of the weights' shape, added to; or empty
  Tensor bias_diff;     // (N), added to; or empty
  bool transpose = false;

  template <class F>
  static void fields(F& field) {
    using A = InnerProductGradientArguments;
    weighted_gradient_fields<A>(field);
    field("transpose", &A::transpose);
  }
};

struct InnerProductGradient {
  using Arguments = InnerProductGradientArguments;
  static constexpr const char* name = "innerProductGradient";
  static constexpr const char* doc = "Each of srcDiff, weightsDiff and biasDiff may be left out.";
  // Throws Error when shapes do not fit together.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
