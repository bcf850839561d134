#include "resize_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../error.h"

namespace ristretto {

namespace {

constexpr int kWeightBits = 11;
constexpr int kOne = 1 << kWeightBits;

// Where a destination pixel lies between two source pixels, and their weights (which sum to 2^11).
struct Tap {
  int64_t first;
  int weight0, weight1;
};

Tap tap_of(int64_t position, int64_t src_extent, int64_t dst_extent) {
  const double scale = 1.0 / (double(dst_extent) / double(src_extent));
  float at = float((double(position) + 0.5) * scale - 0.5);
  const int64_t first = int64_t(std::floor(at));
  at -= float(first);
  // rint: ties to even, as OpenCV's conversion to short.
  return {first, int(std::rint((1.0f - at) * kOne)), int(std::rint(at * kOne))};
}

// Halving both sides is what OpenCV does with the mean of four pixels instead.
void halve(const uint8_t* src, const ImageShape& shape, uint8_t* dst) {
  const int64_t row = shape.width * shape.channels, dst_width = shape.width / 2;
  for (int64_t y = 0; y < shape.height / 2; ++y)
    for (int64_t x = 0; x < dst_width; ++x)
      for (int64_t c = 0; c < shape.channels; ++c) {
        const uint8_t* p = src + 2 * y * row + 2 * x * shape.channels + c;
        *dst++ = uint8_t((p[0] + p[shape.channels] + p[row] + p[row + shape.channels] + 2) >> 2);
      }
}

}  // namespace

void resize_bilinear(const uint8_t* src, const ImageShape& shape, int64_t dst_height, int64_t dst_width,
                     uint8_t* dst) {
  require(shape.count() > 0 && dst_height > 0 && dst_width > 0, "an empty image cannot be resized");
  if (shape.height == 2 * dst_height && shape.width == 2 * dst_width) return halve(src, shape, dst);
  const int64_t channels = shape.channels, row = dst_width * channels;

  std::vector<Tap> columns;
  columns.reserve(size_t(dst_width));
  for (int64_t x = 0; x < dst_width; ++x) {
    Tap tap = tap_of(x, shape.width, dst_width);
    // Beyond the edge a column takes the border pixel alone.
    if (tap.first < 0) tap = {0, kOne, 0};
    if (tap.first >= shape.width - 1) tap = {shape.width - 1, kOne, 0};
    columns.push_back(tap);
  }

  // The two rows under the current one, widened and blended along x; kept while they are used again.
  std::vector<int> rows[2] = {std::vector<int>(size_t(row)), std::vector<int>(size_t(row))};
  int64_t held[2] = {-1, -1};
  const auto blend_row = [&](int slot, int64_t y) {
    if (held[slot] == y) return;
    if (held[1 - slot] == y) {
      rows[0].swap(rows[1]);
      std::swap(held[0], held[1]);
      return;
    }
    held[slot] = y;
    const uint8_t* line = src + y * shape.width * channels;
    int* out = rows[slot].data();
    for (const Tap& tap : columns) {
      const uint8_t* p = line + tap.first * channels;
      const int64_t next = tap.weight1 ? channels : 0;  // no pixel beyond the last
      for (int64_t c = 0; c < channels; ++c) *out++ = p[c] * tap.weight0 + p[c + next] * tap.weight1;
    }
  };

  for (int64_t y = 0; y < dst_height; ++y) {
    const Tap tap = tap_of(y, shape.height, dst_height);
    // Beyond the edge both rows are the border row, with the weights kept.
    const int64_t y0 = std::clamp<int64_t>(tap.first, 0, shape.height - 1);
    const int64_t y1 = std::clamp<int64_t>(tap.first + 1, 0, shape.height - 1);
    blend_row(0, y0);
    if (y1 != y0) blend_row(1, y1);
    const int* r0 = rows[0].data();
    const int* r1 = y1 == y0 ? r0 : rows[1].data();
    for (int64_t i = 0; i < row; ++i) {
      const int sum = ((tap.weight0 * (r0[i] >> 4)) >> 16) + ((tap.weight1 * (r1[i] >> 4)) >> 16);
      *dst++ = uint8_t((sum + 2) >> 2);
    }
  }
}

void gray_from_rgb(const uint8_t* src, const ImageShape& shape, uint8_t* dst) {
  const int64_t pixels = shape.height * shape.width;
  for (int64_t i = 0; i < pixels; ++i, src += shape.channels)
    dst[i] = uint8_t((src[0] * 4899 + src[1] * 9617 + src[2] * 1868 + (1 << 13)) >> 14);
}

}  // namespace ristretto
