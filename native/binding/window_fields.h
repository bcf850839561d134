// Fields that convolutions, poolings and their gradients share.
#pragma once

#include "core/op/pooling.h"
#include "op_binding.h"

namespace ristretto::binding {

// How windows lie on an image.
template <class A>
std::vector<Field<A>> window_fields() {
  return {integer("strideH", &A::stride_h, true, 1), integer("strideW", &A::stride_w, true, 1),
          integer("padH", &A::pad_h, true, 0), integer("padW", &A::pad_w, true, 0)};
}

// The same for kernels with gaps, in groups of channels.
template <class A>
std::vector<Field<A>> convolution_window_fields() {
  return joined(window_fields<A>(),
                {integer("dilationH", &A::dilation_h, true, 1), integer("dilationW", &A::dilation_w, true, 1),
                 integer("group", &A::group, true, 1)});
}

template <class A>
std::vector<Field<A>> pooling_fields() {
  return joined<A>({choice("kind", &A::kind,
                           {{"max", PoolingKind::max},
                            {"average", PoolingKind::average},
                            {"weighted", PoolingKind::weighted},
                            {"sampled", PoolingKind::sampled}}),
                    random_stream("random", &A::random), integer("kernelH", &A::kernel_h, true, 1),
                    integer("kernelW", &A::kernel_w, true, 1)},
                   window_fields<A>());
}

// What the gradients of a convolution and of its transpose take.
template <class A>
std::vector<Field<A>> convolution_gradient_fields() {
  return joined<A>(
      {tensor("src", &A::src), tensor("weights", &A::weights), tensor("dstDiff", &A::dst_diff),
       optional_tensor("srcDiff", &A::src_diff), optional_tensor("weightsDiff", &A::weights_diff),
       optional_tensor("biasDiff", &A::bias_diff), boolean("winograd", &A::winograd)},
      convolution_window_fields<A>());
}

}  // namespace ristretto::binding
