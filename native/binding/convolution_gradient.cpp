#include "core/op/convolution_gradient.h"

#include "window_fields.h"

namespace ristretto::binding {

BoundOp bind_convolution_gradient() {
  return bind<ConvolutionGradient>("convolutionGradient",
                                   convolution_gradient_fields<ConvolutionGradientArguments>());
}

}  // namespace ristretto::binding
