// What a thread takes of rows of floats: one, or four neighbours in one access.
#pragma once

#include "lanes.h"

namespace ristretto::cuda {

struct alignas(16) Floats {
  float value[4];
};
RISTRETTO_DEVICE float sum(float a, float b) { return a + b; }
RISTRETTO_DEVICE Floats sum(const Floats& a, const Floats& b) {
  return {
      {a.value[0] + b.value[0], a.value[1] + b.value[1], a.value[2] + b.value[2], a.value[3] + b.value[3]}};
}

}  // namespace ristretto::cuda
