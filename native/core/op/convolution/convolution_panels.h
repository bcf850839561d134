// Convolution as an implicit matrix product: weights are row panels, kept packed; column panels are gathered
// for one block of output pixels at a time, straight from the image or from a staged copy of the rows that
// the block needs.
#pragma once

#include "../../cpu/float_kernels.h"
#include "convolution.h"

namespace ristretto {

// False where the staged rows would take too much memory (absurd pads, strides or dilations).
bool convolution_panels_supports(const ConvolutionArguments& arguments);
void convolution_panels(Context& context, const ConvolutionArguments& arguments, const FloatKernels& kernels);

}  // namespace ristretto
