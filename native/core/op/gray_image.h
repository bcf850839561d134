// gray image: luma of 8-bit RGB pixels with 14-bit weights, as OpenCV's cvtColor.
#pragma once

#include <cstdint>

namespace ristretto {

// `src`: pixels of `channels` bytes, the first three red, green and blue; dst: one byte each. May be src.
inline void gray_from_rgb(const uint8_t* src, int64_t pixels, int64_t channels, uint8_t* dst) {
  for (int64_t i = 0; i < pixels; ++i, src += channels)
    dst[i] = uint8_t((src[0] * 4899 + src[1] * 9617 + src[2] * 1868 + (1 << 13)) >> 14);
}

}  // namespace ristretto
