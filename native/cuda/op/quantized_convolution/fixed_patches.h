// Maximum pooling behind a convolution: a tile's rows are a patch of an image's pixels, all that some windows
// read, so that the windows' largest codes can be found in shared memory and nothing else leaves it. Pixels
// that windows of two patches share are computed by both.
#pragma once

#include "core/op/pooling/pooling_codes.h"
#include "cuda/lanes.h"

namespace ristretto::cuda {

struct FixedPatches {
  int rows = 0, columns = 0;  // windows of a patch; none: the tile's rows are pixels in their order
  int height = 0, width = 0;  // pixels of a patch
  int down = 0, across = 0;   // patches of an image
  int kernel_h = 0, kernel_w = 0, stride_h = 0, stride_w = 0, pad_h = 0, pad_w = 0;

  RISTRETTO_HOST_DEVICE bool any() const { return rows > 0; }

  // Pixel `i` of a patch among an image's P x Q. Instead of one outside of the image the nearest inside,
  // which every window has that would have read it: the largest code stays the same.
  RISTRETTO_HOST_DEVICE void place(int patch, int i, int P, int Q, int& n, int& p, int& q) const {
    const int in_row = patch % across, above = patch / across;
    n = above / down;
    const int h = above % down * rows * stride_h - pad_h + i / width;
    const int w = in_row * columns * stride_w - pad_w + i % width;
    p = h < 0 ? 0 : h < P ? h : P - 1;
    q = w < 0 ? 0 : w < Q ? w : Q - 1;
  }
  // Window (r, c) of a patch among an image's outputs; false where there is none.
  RISTRETTO_HOST_DEVICE bool output(int patch, int r, int c, int height_out, int width_out, int& n, int& p,
                                    int& q) const {
    const int above = patch / across;
    n = above / down;
    p = above % down * rows + r;
    q = patch % across * columns + c;
    return p < height_out && q < width_out;
  }
};

// The patch of at most `pixels` pixels that computes fewest of them for an output; none where a window has
// more, or where there are none to be gained.
FixedPatches fixed_patches(const CodeWindow& window, int64_t height_out, int64_t width_out, int pixels);

}  // namespace ristretto::cuda
