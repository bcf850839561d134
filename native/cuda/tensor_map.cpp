// What tensor maps of every kind share.
#include "tensor_map.h"

#include <initializer_list>

namespace ristretto::cuda {

bool tensor_map_supports(const WindowedCodes& c) {
  constexpr int64_t kMostBytes = int64_t{1} << 40, kMostCount = int64_t{1} << 31;
  for (const int64_t bytes : {c.pixel_bytes, c.row_bytes, c.image_bytes})
    if (bytes % 16 != 0 || bytes >= kMostBytes) return false;
  for (const int64_t count : {c.channels, c.width, c.height, c.images})
    if (count < 1 || count >= kMostCount) return false;
  // Corners are signed bytes, places within a window unsigned ones, steps at most 8.
  for (const int pad : {c.pad_w, c.pad_h})
    if (pad < 0 || pad > 127) return false;
  for (const int extent : {c.extent_w, c.extent_h})
    if (extent < 1 || extent > 128) return false;
  for (const int stride : {c.stride_w, c.stride_h})
    if (stride < 1 || stride > 8) return false;
  return reinterpret_cast<uintptr_t>(c.data) % 16 == 0;
}

}  // namespace ristretto::cuda
