// inner product: dst[m,n] = relu(trim_dst(bias[n] + sum_k trim_src(src[m,k]) * weights[n,k])), the fully
// connected layer.
#pragma once

#include "../shared_fields.h"
#include "convolution.h"

namespace ristretto {

struct InnerProductArguments {
  Tensor
      src;  // (M, K) after flattening at the layer's axis; any rank whose axes after the first multiply to K
  Tensor weights;  // (N, K), or (K, N) with transpose
  Tensor bias;     // (N), or empty
  Tensor dst;      // (M, N)
  bool transpose = false;
  bool relu = false;
  TrimFormat src_trim, dst_trim;
  RandomStream src_random, dst_random;  // of stochastic trims; first_element is that of row 0
  PackedWeights* packed = nullptr;
  int64_t weights_version = 0;

  template <class F>
  static void fields(F& field) {
    using A = InnerProductArguments;
    field("src", &A::src);
    field("weights", &A::weights);
    field("bias", &A::bias).optional();
    field("dst", &A::dst);
    field("transpose", &A::transpose);
    field("relu", &A::relu);
    trim_fields<A>(field);
    packed_fields<A>(field);
  }
};

struct InnerProduct {
  using Arguments = InnerProductArguments;
  static constexpr const char* name = "innerProduct";
  // Throws Error when shapes and parameters do not fit together.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void inner_product_ref(Context& context, const InnerProductArguments& arguments);

}  // namespace ristretto
