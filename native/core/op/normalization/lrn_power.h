// x * scale^-beta: the step that both passes of lrn share. The exponents that nets use come from square
// roots, which vectorise.
#pragma once

#include <cmath>
#include <cstdint>

#include "../../host_device.h"

namespace ristretto {

namespace powers {

struct ThreeQuarters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float scale) const {
    const float root = std::sqrt(scale);
    return x / (root * std::sqrt(root));
  }
};
struct Half {
  RISTRETTO_HOST_DEVICE float operator()(float x, float scale) const { return x / std::sqrt(scale); }
};
struct One {
  RISTRETTO_HOST_DEVICE float operator()(float x, float scale) const { return x / scale; }
};
struct Any {
  float beta;
  RISTRETTO_HOST_DEVICE float operator()(float x, float scale) const { return x * std::pow(scale, -beta); }
};

}  // namespace powers

// body(power) with what computes x * scale^-beta.
template <class Body>
void with_power(float beta, const Body& body) {
  if (beta == 0.75f)
    body(powers::ThreeQuarters());
  else if (beta == 0.5f)
    body(powers::Half());
  else if (beta == 1.0f)
    body(powers::One());
  else
    body(powers::Any{beta});
}

// dst = src * scale^-beta.
inline void scale_by_power(const float* src, const float* scale, float* dst, int64_t count, float beta) {
  with_power(beta, [=](const auto& power) {
    for (int64_t i = 0; i < count; ++i) dst[i] = power(src[i], scale[i]);
  });
}

}  // namespace ristretto
