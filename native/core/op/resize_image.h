// Conversions of decoded 8-bit images, H x W x C interleaved, bit for bit as OpenCV does them.
#pragma once

#include <cstdint>

namespace ristretto {

struct ImageShape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t count() const { return height * width * channels; }
};

// resize with INTER_LINEAR: 11-bit fixed-point weights, pixel centres aligned. dst has dst_height x dst_width
// pixels of as many channels. Throws Error for empty images.
void resize_bilinear(const uint8_t* src, const ImageShape& shape, int64_t dst_height, int64_t dst_width,
                     uint8_t* dst);

// Luma of RGB pixels (the first three of `channels`) with 14-bit weights; dst has one channel. May be src.
void gray_from_rgb(const uint8_t* src, const ImageShape& shape, uint8_t* dst);

}  // namespace ristretto
