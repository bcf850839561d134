// The products of convolutions: rows are output channels, columns the pixels of all images, depths the taps
// of the kernel in all input channels. A convolution, its transpose (one phase of the stride after the
// other), and a plain product of matrices, whose pixels are single and whose kernels have one tap.
#pragma once

#include "grouped_product.h"

namespace ristretto::cuda {

struct WindowProduct : GroupedProduct {
  // Columns: `grid_width` to a row of pixels, `pixels` to an image. A pixel's window starts at row
  // y_first + y_step * its row; the plane that it reads is height x width.
  unsigned pixels = 1, grid_width = 1;
  int b_image = 0;
  int y_first = 0, y_step = 1, x_first = 0, x_step = 1;
  unsigned height = 1, width = 1;

  // Depths: `taps_width` taps to a row of the kernel, `taps` to a channel.
  unsigned taps = 1, taps_width = 1;
  int b_channel = 0, y_tap = 0, x_tap = 0;
  int a_channel = 0, a_first = 0, a_tap_y = 0, a_tap_x = 0;

  // Where a pixel of a row goes.
  Sink out;
  int out_image = 0, out_first = 0, out_y = 0, out_x = 1;
  int64_t element_image = 0;

  struct Pixel {
    int image, i, j;
  };
  RISTRETTO_DEVICE Pixel pixel(int n) const {
    const unsigned image = unsigned(n) / pixels, rest = unsigned(n) - image * pixels, i = rest / grid_width;
    return {int(image), int(i), int(rest - i * grid_width)};
  }
  RISTRETTO_DEVICE Place column(int n) const {
    const Pixel at = pixel(n);
    const int y = y_first + at.i * y_step, x = x_first + at.j * x_step;
    return {at.image * b_image + y * int(width) + x, y, x, 0};
  }
  RISTRETTO_DEVICE Place depth(int d) const {
    const unsigned c = unsigned(d) / taps, tap = unsigned(d) - c * taps, r = tap / taps_width;
    const int s = int(tap - r * taps_width), y = int(r) * y_tap, x = s * x_tap;
    return {int(c) * b_channel + y * int(width) + x, y, x,
            int(c) * a_channel + a_first + int(r) * a_tap_y + s * a_tap_x};
  }

  RISTRETTO_DEVICE Sink sink() const {
    Sink s = out;
    s.data += group() * sink_group + part() * sink_part;
    if (s.bias && !s.bias_of_column) s.bias += group() * row_count;
    s.trim.random.first_element += uint64_t(group() * row_count * s.element_row);
    return s;
  }
  RISTRETTO_DEVICE int sink_offset(int n) const {
    const Pixel at = pixel(n);
    return at.image * out_image + out_first + at.i * out_y + at.j * out_x;
  }
  RISTRETTO_DEVICE int64_t sink_element(int n) const {
    const Pixel at = pixel(n);
    return at.image * element_image + out_first + at.i * out_y + at.j * out_x;
  }
};

// At least one row and one column. `parts`: how many parts of depth_part depths there are.
void launch_product(Context& context, const char* name, Lanes a, Lanes b, const WindowProduct& p,
                    int parts = 1);

}  // namespace ristretto::cuda
