#include "core/op/col2im.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_col2im() {
  using A = Col2imArguments;
  return bind<Col2im>("col2im", {
                                    tensor("src", &A::src),
                                    tensor("dst", &A::dst),
                                    integer("kernelH", &A::kernel_h, true, 1),
                                    integer("kernelW", &A::kernel_w, true, 1),
                                    integer("strideH", &A::stride_h, true, 1),
                                    integer("strideW", &A::stride_w, true, 1),
                                    integer("padH", &A::pad_h, true, 0),
                                    integer("padW", &A::pad_w, true, 0),
                                    integer("dilationH", &A::dilation_h, true, 1),
                                    integer("dilationW", &A::dilation_w, true, 1),
                                });
}

}  // namespace ristretto::binding
