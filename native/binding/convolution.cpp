#include "core/op/convolution.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_convolution() {
  using A = ConvolutionArguments;
  return bind<Convolution>("convolution", {
                                              tensor("src", &A::src),
                                              tensor("weights", &A::weights),
                                              optional_tensor("bias", &A::bias),
                                              tensor("dst", &A::dst),
                                              integer("strideH", &A::stride_h, true, 1),
                                              integer("strideW", &A::stride_w, true, 1),
                                              integer("padH", &A::pad_h, true, 0),
                                              integer("padW", &A::pad_w, true, 0),
                                              integer("dilationH", &A::dilation_h, true, 1),
                                              integer("dilationW", &A::dilation_w, true, 1),
                                              integer("group", &A::group, true, 1),
                                              boolean("relu", &A::relu),
                                              boolean("winograd", &A::winograd),
                                              trim_format("srcTrim", &A::src_trim),
                                              trim_format("dstTrim", &A::dst_trim),
                                              random_stream("srcRandom", &A::src_random),
                                              random_stream("dstRandom", &A::dst_random),
                                              packed_weights("packed", &A::packed),
                                              integer("weightsVersion", &A::weights_version, false, 0),
                                          });
}

}  // namespace ristretto::binding
