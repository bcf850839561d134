#include "core/op/deconvolution_gradient.h"

#include "window_fields.h"

namespace ristretto::binding {

BoundOp bind_deconvolution_gradient() {
  return bind<DeconvolutionGradient>("deconvolutionGradient",
                                     convolution_gradient_fields<DeconvolutionGradientArguments>());
}

}  // namespace ristretto::binding
