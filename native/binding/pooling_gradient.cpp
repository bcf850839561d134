#include "core/op/pooling_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_pooling_gradient() {
  using A = PoolingGradientArguments;
  return bind<PoolingGradient>("poolingGradient", {
                                                      optional_tensor("src", &A::src),
                                                      tensor("dstDiff", &A::dst_diff),
                                                      tensor("srcDiff", &A::src_diff),
                                                      choice("kind", &A::kind,
                                                             {{"max", PoolingKind::max},
                                                              {"average", PoolingKind::average},
                                                              {"weighted", PoolingKind::weighted},
                                                              {"sampled", PoolingKind::sampled}}),
                                                      random_stream("random", &A::random),
                                                      integer("kernelH", &A::kernel_h, true, 1),
                                                      integer("kernelW", &A::kernel_w, true, 1),
                                                      integer("strideH", &A::stride_h, true, 1),
                                                      integer("strideW", &A::stride_w, true, 1),
                                                      integer("padH", &A::pad_h, true, 0),
                                                      integer("padW", &A::pad_w, true, 0),
                                                      boolean("accumulate", &A::accumulate),
                                                  });
}

}  // namespace ristretto::binding
