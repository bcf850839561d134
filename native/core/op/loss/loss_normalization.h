// What losses are divided by.
#pragma once

#include <algorithm>

#include "../../host_device.h"
#include "loss.h"

namespace ristretto {

RISTRETTO_HOST_DEVICE double loss_divisor(LossNormalization normalization, int64_t outer, int64_t inner,
                                          int64_t valid) {
  switch (normalization) {
    case LossNormalization::full:
      return std::max<double>(1, double(outer * inner));
    case LossNormalization::valid:
      return std::max<double>(1, double(valid));
    case LossNormalization::batch_size:
      return std::max<double>(1, double(outer));
    case LossNormalization::none:
      break;
  }
  return 1;
}

// Whether a pair loss leaves out an element with this target.
RISTRETTO_HOST_DEVICE bool ignores_target(bool ignores, int64_t ignored, float target) {
  return ignores && target > -2147483648.0f && target < 2147483648.0f && int64_t(target) == ignored;
}

}  // namespace ristretto
