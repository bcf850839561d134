// What a bias adds to a loss: the sum of each channel of the output's gradient, over images and pixels.
#pragma once

#include "../../context.h"
#include "../../tensor_view.h"

namespace ristretto {

// sums[k] += the sum of channel k; channels are the second axis.
void sum_channels(Context& context, const Tensor& tensor, float* sums);

}  // namespace ristretto
