// A requantisation by the constants of core/op/quantized_convolution/fixed_step.h.
#pragma once

#include "core/cpu/fixed_kernels.h"
#include "lanes.h"

namespace ristretto::cuda {

RISTRETTO_DEVICE int32_t apply_step(int32_t x, const FixedStep& s) {
  const int32_t shifted = int32_t(uint32_t(x) << s.left);
  const int32_t code = (shifted + s.add + ((shifted >> s.sign_shift) & s.mask)) >> s.right;
  return code < s.low ? s.low : code > s.high ? s.high : code;
}

}  // namespace ristretto::cuda
