// Division by a number that is known at the launch, as a multiplication: kernels take indices apart with it.
#pragma once

#include <cstdint>

#include "lanes.h"

namespace ristretto::cuda {

// Exact for numerators below 2^31.
class Divisor {
 public:
  Divisor() = default;
  // 1 <= value < 2^31.
  explicit Divisor(int64_t value) : value_(uint32_t(value)) {
    while ((uint64_t{1} << shift_) < value_) ++shift_;
    multiplier_ = uint32_t((uint64_t{1} << 32) * ((uint64_t{1} << shift_) - value_) / value_ + 1);
  }
  RISTRETTO_DEVICE uint32_t value() const { return value_; }
  RISTRETTO_DEVICE uint32_t quotient(uint32_t n) const {
    return (uint32_t((uint64_t{n} * multiplier_) >> 32) + n) >> shift_;
  }
  RISTRETTO_DEVICE uint32_t remainder(uint32_t n) const { return n - quotient(n) * value_; }

 private:
  uint32_t value_ = 1, multiplier_ = 1, shift_ = 0;
};

// What a Divisor can take apart.
inline bool divisible(int64_t count) { return count < (int64_t{1} << 31); }

}  // namespace ristretto::cuda
