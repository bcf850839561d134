// Of codes in memory the windows that a convolution reads, as the copies of warpgroup.h want them described.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#include <cuda.h>
#endif

namespace ristretto::cuda {

// Bytes, channels last. A window's first element goes from -pad on in steps of stride, up to the last one
// whose whole window is within the padding.
struct WindowedCodes {
  const void* data = nullptr;  // a multiple of 16, as the strides are
  int64_t channels = 0, width = 0, height = 0, images = 0;
  int64_t pixel_bytes = 0, row_bytes = 0, image_bytes = 0;
  int pad_w = 0, pad_h = 0, stride_w = 1, stride_h = 1;
  int extent_w = 1, extent_h = 1;  // of a window, dilation included
  int box_channels = 16;           // a copy's channels, and its windows
  int box_windows = 128;
  bool swizzled = false;  // box_channels is 64
};

#if defined(__CUDACC__)
using TensorMap = CUtensorMap;
#else
struct alignas(64) TensorMap {
  WindowedCodes codes;
};
#endif

// What the copies can do: small pads, strides and windows.
bool tensor_map_supports(const WindowedCodes& codes);
// Throws Error where the driver refuses it.
TensorMap make_tensor_map(const WindowedCodes& codes);

}  // namespace ristretto::cuda
