// Where the window of a pooling lies along one axis.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../host_device.h"

namespace ristretto {

// [begin, end) of window p inside an image of `size`, and its length inside the padded image.
struct WindowSpan {
  int64_t begin, end, padded;
  RISTRETTO_HOST_DEVICE bool empty() const { return begin >= end; }
};
RISTRETTO_HOST_DEVICE WindowSpan window_span(int64_t p, int64_t stride, int64_t pad, int64_t kernel,
                                             int64_t size) {
  const int64_t start = p * stride - pad, stop = std::min(start + kernel, size + pad);
  return {std::max<int64_t>(start, 0), std::min(stop, size), stop - start};
}

}  // namespace ristretto
