// Memory for code tensors in tests: a margin of known bytes around it shows what was written outside.
#pragma once

#include <algorithm>
#include <cstring>

#include "core/code_tensor.h"
#include "float_cases.h"

namespace cases {

// A code tensor that owns its memory: `channels` of a pixel of `pixel_channels`, with a halo.
class Codes {
 public:
  struct Shape {
    int64_t images, height, width, channels;
    int64_t halo_h = 0, halo_w = 0;
    int64_t before = 0, after = 0;  // channels of others on either side in each pixel
  };

  Codes(ristretto::DataType type, const Shape& s, int low, int high, int64_t slack = 0) {
    view.type = type;
    view.images = s.images, view.height = s.height, view.width = s.width, view.channels = s.channels;
    view.halo_h = s.halo_h, view.halo_w = s.halo_w;
    view.pixel_stride = s.before + s.channels + s.after;
    view.row_stride = (s.width + 2 * s.halo_w) * view.pixel_stride;
    view.image_stride = (s.height + 2 * s.halo_h) * view.row_stride;
    view.low = low, view.high = high;
    view.slack = slack;
    first_ = s.halo_h * view.row_stride + s.halo_w * view.pixel_stride + s.before;
    // Exactly what the view says is its own.
    memory.resize((std::max<int64_t>(1, s.images) * view.image_stride - s.after) * view.element_bytes() +
                  slack);
    bind(memory);
  }

  // The same view of another copy of the memory.
  ristretto::CodeTensor in(char* other) const {
    ristretto::CodeTensor t = view;
    t.data = other + first_ * view.element_bytes();
    return t;
  }
  ristretto::CodeTensor in(guarded::vector<char>& other) const { return in(other.data()); }
  void bind(guarded::vector<char>& other) { view = in(other); }

  // Random codes of the range everywhere, extremes often; 0 in the halo; anything in what is not the view's.
  void fill(Random& random) {
    for (char& byte : memory) byte = char(random.integer(0, 255));
    const int spread = int(random.integer(0, 3));
    for (int64_t n = 0; n < view.images; ++n)
      for (int64_t h = -view.halo_h; h < view.height + view.halo_h; ++h)
        for (int64_t w = -view.halo_w; w < view.width + view.halo_w; ++w)
          for (int64_t c = 0; c < view.channels; ++c) {
            const bool inside = h >= 0 && h < view.height && w >= 0 && w < view.width;
            const int64_t extreme = random.integer(0, 1) ? view.low : view.high;
            const int64_t any = spread == 0 ? extreme : random.integer(view.low, view.high);
            view.set_code(n, h, w, c, inside ? int(any) : 0);
          }
  }

  ristretto::CodeTensor view;
  guarded::vector<char> memory;

 private:
  int64_t first_ = 0;
};

}  // namespace cases
