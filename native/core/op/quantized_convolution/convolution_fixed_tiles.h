// Fixed-point convolution as an implicit matrix product of pixels and packed weights.
#pragma once

#include "../../cpu/fixed_kernels.h"
#include "convolution_fixed.h"

namespace ristretto {

// False for problems whose scratch memory would be out of all proportion.
bool convolution_fixed_tiles_supports(const ConvolutionFixedArguments& arguments,
                                      const FixedKernels& kernels);
void convolution_fixed_tiles(Context& context, const ConvolutionFixedArguments& arguments,
                             const FixedKernels& kernels);

}  // namespace ristretto
