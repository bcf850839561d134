// The compiler's own vectors, which say what is meant for every instruction set.
#pragma once

#include <cstdint>

namespace ristretto {

template <int lanes>
using Lanes32 __attribute__((vector_size(4 * lanes))) = int32_t;
template <int lanes>
using Lanes16 __attribute__((vector_size(2 * lanes))) = int16_t;
template <int lanes>
using Lanes8 __attribute__((vector_size(lanes))) = int8_t;

}  // namespace ristretto
