// gray image: luma of 8-bit RGB pixels with whole-number weights.
#pragma once

#include <cstdint>

namespace ristretto {

// (red * r + green * g + blue * b + half) >> shift, at most 255. OpenCV's cvtColor, its image files' readers,
// libjpeg and libpng each have their own weights.
struct GrayWeights {
  int32_t red = 4899, green = 9617, blue = 1868, half = 1 << 13, shift = 14;
};

// `src`: pixels of `channels` bytes, the first three red, green and blue; dst: one byte each. May be src.
inline void gray_from_rgb(const uint8_t* src, int64_t pixels, int64_t channels, uint8_t* dst,
                          GrayWeights weights = {}) {
  const auto [red, green, blue, half, shift] = weights;
  for (int64_t i = 0; i < pixels; ++i, src += channels)
    dst[i] = uint8_t((src[0] * red + src[1] * green + src[2] * blue + half) >> shift);
}

}  // namespace ristretto
