#pragma once

#include <cstdint>

namespace ristretto::cuda {

// What float32 products are made of. fp32 is the processor's arithmetic; the other two round the operands, to
// 10 and 7 bits of mantissa, and add in float32 on the tensor cores, where there are such (8.0 and newer).
enum class Math : uint8_t { fp32, tf32, bf16 };

}  // namespace ristretto::cuda
