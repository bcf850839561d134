// The windows of pooling on codes.
#pragma once

#include <algorithm>
#include <climits>

#include "pooling_codes.h"
#include "window_span.h"

namespace ristretto {

RISTRETTO_HOST_DEVICE WindowSpan window_rows(const CodeWindow& w, int64_t p, int64_t height) {
  return window_span(p, w.stride_h, w.pad_h, w.kernel_h, height);
}
RISTRETTO_HOST_DEVICE WindowSpan window_columns(const CodeWindow& w, int64_t q, int64_t width) {
  return window_span(q, w.stride_w, w.pad_w, w.kernel_w, width);
}

// Windows of P x Q outputs. Any may lie outside of the image.
inline void require_code_window(const CodeWindow& w, int64_t P, int64_t Q) {
  constexpr int64_t kMost = int64_t{1} << 31;
  for (const int64_t value : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w})
    require(value >= 1 && value < kMost, "pooling: ", value, " is not a kernel's or stride's length");
  require(P >= 1 && P < kMost && Q >= 1 && Q < kMost, "pooling: an output of ", P, " x ", Q);
  require(w.pad_h >= 0 && w.pad_w >= 0 && w.pad_h < w.kernel_h && w.pad_w < w.kernel_w, "pooling: padding ",
          w.pad_h, " x ", w.pad_w, " must be less than the kernel ", w.kernel_h, " x ", w.kernel_w);
}

}  // namespace ristretto
