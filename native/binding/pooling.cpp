#include "core/op/pooling.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_pooling() {
  using A = PoolingArguments;
  return bind<Pooling>("pooling", {
                                      tensor("src", &A::src),
                                      tensor("dst", &A::dst),
                                      optional_tensor("mask", &A::mask),
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
                                  });
}

}  // namespace ristretto::binding
