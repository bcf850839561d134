// dst = src * scale^-beta: the step that both passes of lrn share.
#pragma once

#include <cmath>
#include <cstdint>

namespace ristretto {

// The exponents that nets use come from square roots, which vectorise.
inline void scale_by_power(const float* src, const float* scale, float* dst, int64_t count, float beta) {
  if (beta == 0.75f) {
    for (int64_t i = 0; i < count; ++i) {
      const float root = std::sqrt(scale[i]);
      dst[i] = src[i] / (root * std::sqrt(root));
    }
  } else if (beta == 0.5f) {
    for (int64_t i = 0; i < count; ++i) dst[i] = src[i] / std::sqrt(scale[i]);
  } else if (beta == 1.0f) {
    for (int64_t i = 0; i < count; ++i) dst[i] = src[i] / scale[i];
  } else {
    for (int64_t i = 0; i < count; ++i) dst[i] = src[i] * std::pow(scale[i], -beta);
  }
}

}  // namespace ristretto
