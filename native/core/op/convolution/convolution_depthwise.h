// Convolution whose output channels read one input channel each: no matrix product, vectors run along a line.
#pragma once

#include "../../cpu/float_kernels.h"
#include "convolution.h"

namespace ristretto {

bool convolution_depthwise_supports(const ConvolutionArguments& arguments);
void convolution_depthwise(Context& context, const ConvolutionArguments& arguments,
                           const FloatKernels& kernels);

}  // namespace ristretto
