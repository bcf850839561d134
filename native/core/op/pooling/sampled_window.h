// Which element of a window stochastic pooling takes: both passes ask with the same word.
#pragma once

#include <cstdint>

#include "window_span.h"

namespace ristretto {

// Place of the element in the plane, drawn with a probability in proportion to its value; -1 where the sum is
// not positive.
RISTRETTO_HOST_DEVICE int64_t sampled_place(const float* plane, int64_t width, WindowSpan h, WindowSpan w,
                                            uint32_t word) {
  double sum = 0;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x) sum += plane[y * width + x];
  if (!(sum > 0)) return -1;
  const double threshold = sum * (word / 4294967296.0);
  double passed = 0;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x)
      if ((passed += plane[y * width + x]) > threshold) return y * width + x;
  return -1;
}

}  // namespace ristretto
