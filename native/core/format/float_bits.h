// The bits of a float32, and what they say.
#pragma once

#include <cstdint>

#include "../host_device.h"

namespace ristretto {

RISTRETTO_HOST_DEVICE uint32_t bits_of(float x) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(x);
#else
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
#endif
}

RISTRETTO_HOST_DEVICE float float_of(uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
#endif
}

// 2^exponent, exponent in -126..127.
RISTRETTO_HOST_DEVICE float power_of_two_float(int exponent) {
  return float_of(uint32_t(exponent + 127) << 23);
}

struct FloatBits {
  static constexpr uint32_t kSign = 0x80000000u, kMagnitude = 0x7FFFFFFFu, kMantissa = 0x007FFFFFu;
  static constexpr uint32_t kHiddenBit = 0x00800000u, kInfinity = 0x7F800000u, kLargest = 0x7F7FFFFFu;
};

RISTRETTO_HOST_DEVICE bool is_nan_bits(uint32_t bits) {
  return (bits & FloatBits::kMagnitude) > FloatBits::kInfinity;
}

}  // namespace ristretto
