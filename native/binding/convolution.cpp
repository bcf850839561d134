#include "core/op/convolution.h"

#include "window_fields.h"

namespace ristretto::binding {

BoundOp bind_convolution() {
  using A = ConvolutionArguments;
  return bind<Convolution>("convolution", joined<A>(
                                              {
                                                  tensor("src", &A::src),
                                                  tensor("weights", &A::weights),
                                                  optional_tensor("bias", &A::bias),
                                                  tensor("dst", &A::dst),
                                                  boolean("relu", &A::relu),
                                                  boolean("winograd", &A::winograd),
                                                  trim_format("srcTrim", &A::src_trim),
                                                  trim_format("dstTrim", &A::dst_trim),
                                                  random_stream("srcRandom", &A::src_random),
                                                  random_stream("dstRandom", &A::dst_random),
                                                  packed_weights("packed", &A::packed),
                                                  integer("weightsVersion", &A::weights_version, false, 0),
                                              },
                                              convolution_window_fields<A>()));
}

}  // namespace ristretto::binding
