// Winograd's F(4x4, 3x3) for 3x3 convolutions of stride 1: a quarter of the multiplications, rounding a few
// times that of the direct sum. Infinities in the input may come out as NaN.
#pragma once

#include "../../cpu/float_kernels.h"
#include "convolution.h"

namespace ristretto {

// Whether the arguments allow it, fit it and gain by it.
bool convolution_winograd_supports(const ConvolutionArguments& arguments);
void convolution_winograd(Context& context, const ConvolutionArguments& arguments,
                          const FloatKernels& kernels);

}  // namespace ristretto
