// Fixed-point convolution of each channel with its own weights: no sum over channels, vectors run along them.
#pragma once

#include "../../cpu/code_kernels.h"
#include "convolution_fixed.h"

namespace ristretto {

// As many outputs as inputs, a group for each, and sums that fit 32 bits whatever the weights are.
bool convolution_fixed_depthwise_supports(const ConvolutionFixedArguments& arguments);
void convolution_fixed_depthwise(Context& context, const ConvolutionFixedArguments& arguments,
                                 const CodeKernels& kernels);

}  // namespace ristretto
