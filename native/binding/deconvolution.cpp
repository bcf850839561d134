#include "core/op/deconvolution.h"

#include "window_fields.h"

namespace ristretto::binding {

BoundOp bind_deconvolution() {
  using A = DeconvolutionArguments;
  return bind<Deconvolution>("deconvolution", joined<A>(
                                                  {
                                                      tensor("src", &A::src),
                                                      tensor("weights", &A::weights),
                                                      optional_tensor("bias", &A::bias),
                                                      tensor("dst", &A::dst),
                                                      boolean("relu", &A::relu),
                                                      trim_format("srcTrim", &A::src_trim),
                                                      trim_format("dstTrim", &A::dst_trim),
                                                      random_stream("srcRandom", &A::src_random),
                                                      random_stream("dstRandom", &A::dst_random),
                                                  },
                                                  convolution_window_fields<A>()));
}

}  // namespace ristretto::binding
