// The product of a convolution's weight gradient: rows are output channels, columns the taps of the kernel in
// all input channels, depths the output pixels of all images. Pixels are cut into parts of a fixed length,
// each with sums of its own, which add_parts() adds in their order.
#pragma once

#include "grouped_product.h"

namespace ristretto::cuda {

struct WeightsProduct : GroupedProduct {
  // Depths: `grid_width` to a row of output pixels, `pixels` to an image.
  unsigned pixels = 1, grid_width = 1;
  int a_image = 0, b_image = 0;
  int y_first = 0, y_step = 1, x_first = 0, x_step = 1;
  unsigned height = 1, width = 1;  // of the plane that windows read

  // Columns: `taps_width` taps to a row of the kernel, `taps` to a channel.
  unsigned taps = 1, taps_width = 1;
  int b_channel = 0, y_tap = 0, x_tap = 0;

  Sink out;

  RISTRETTO_DEVICE Place column(int n) const {
    const unsigned c = unsigned(n) / taps, tap = unsigned(n) - c * taps, r = tap / taps_width;
    const int y = int(r) * y_tap, x = int(tap - r * taps_width) * x_tap;
    return {int(c) * b_channel + y * int(width) + x, y, x, 0};
  }
  RISTRETTO_DEVICE Place depth(int d) const {
    const unsigned image = unsigned(d) / pixels, rest = unsigned(d) - image * pixels, i = rest / grid_width;
    const int y = y_first + int(i) * y_step, x = x_first + int(rest - i * grid_width) * x_step;
    return {int(image) * b_image + y * int(width) + x, y, x, int(image) * a_image + int(rest)};
  }

  RISTRETTO_DEVICE Sink sink() const {
    Sink s = out;
    s.data += group() * sink_group + part() * sink_part;
    return s;
  }
  RISTRETTO_DEVICE int sink_offset(int n) const { return n; }
  RISTRETTO_DEVICE int64_t sink_element(int n) const { return n; }
};

}  // namespace ristretto::cuda
