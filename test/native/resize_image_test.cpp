// The resize against OpenCV's arithmetic written out per pixel, and the values it must keep.
#include "core/op/resize_image.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "core/error.h"

using namespace ristretto;

namespace {

// One pixel by the formula alone: 11-bit weights, rows and columns clipped at the border.
uint8_t pixel(const std::vector<uint8_t>& src, const ImageShape& s, int64_t dst_height, int64_t dst_width,
              int64_t y, int64_t x, int64_t c) {
  const auto split = [](int64_t position, int64_t from, int64_t to, int64_t& base, int& w0, int& w1) {
    const double scale = 1.0 / (double(to) / double(from));
    float at = float((double(position) + 0.5) * scale - 0.5);
    base = int64_t(std::floor(at));
    at -= float(base);
    w0 = int(std::nearbyint((1.0f - at) * 2048.0f));
    w1 = int(std::nearbyint(at * 2048.0f));
  };
  int64_t bx, by;
  int ax0, ax1, ay0, ay1;
  split(x, s.width, dst_width, bx, ax0, ax1);
  split(y, s.height, dst_height, by, ay0, ay1);
  if (bx < 0) bx = 0, ax0 = 2048, ax1 = 0;
  if (bx >= s.width - 1) bx = s.width - 1, ax0 = 2048, ax1 = 0;
  const auto clip = [](int64_t v, int64_t extent) { return v < 0 ? 0 : v >= extent ? extent - 1 : v; };
  const auto blend = [&](int64_t row) {
    const int64_t at = (clip(row, s.height) * s.width + bx) * s.channels + c;
    return int(src[size_t(at)]) * ax0 + (ax1 ? int(src[size_t(at + s.channels)]) * ax1 : 0);
  };
  const int sum = ((ay0 * (blend(by) >> 4)) >> 16) + ((ay1 * (blend(by + 1) >> 4)) >> 16);
  return uint8_t((sum + 2) >> 2);
}

std::vector<uint8_t> noise(size_t count) {
  std::vector<uint8_t> values(count);
  uint32_t state = 17;
  for (uint8_t& v : values) v = uint8_t((state = state * 1664525u + 1013904223u) >> 24);
  return values;
}

}  // namespace

TEST(equals_the_formula) {
  const int64_t sizes[][5] = {{7, 5, 3, 13, 11},   {13, 11, 3, 7, 5},   {1, 1, 3, 4, 4},
                              {5, 1, 1, 3, 7},     {1, 9, 4, 2, 3},     {6, 4, 3, 3, 3},
                              {32, 32, 3, 32, 32}, {33, 17, 1, 64, 256}};
  for (const auto& z : sizes) {
    const ImageShape shape{z[0], z[1], z[2]};
    const std::vector<uint8_t> src = noise(size_t(shape.count()));
    std::vector<uint8_t> dst(size_t(z[3] * z[4] * z[2]));
    resize_bilinear(src.data(), shape, z[3], z[4], dst.data());
    size_t i = 0;
    for (int64_t y = 0; y < z[3]; ++y)
      for (int64_t x = 0; x < z[4]; ++x)
        for (int64_t c = 0; c < z[2]; ++c, ++i)
          CHECK_EQUAL(int(dst[i]), int(pixel(src, shape, z[3], z[4], y, x, c)), "at ", y, ",", x, ",", c,
                      " of ", z[0]);
  }
}

TEST(same_size_keeps_every_pixel_and_halving_takes_means) {
  const ImageShape shape{6, 4, 3};
  const std::vector<uint8_t> src = noise(size_t(shape.count()));
  std::vector<uint8_t> same(src.size());
  resize_bilinear(src.data(), shape, 6, 4, same.data());
  CHECK(same == src);
  const std::vector<uint8_t> square = {10, 20, 31, 41};
  uint8_t mean = 0;
  resize_bilinear(square.data(), {2, 2, 1}, 1, 1, &mean);
  CHECK_EQUAL(int(mean), 26);  // 102 / 4 = 25.5
}

TEST(known_values) {
  // 0 and 255 stretched from 2 to 4 pixels: weights 1, 0.75, 0.25, 0.
  const std::vector<uint8_t> line = {0, 255};
  uint8_t dst[4];
  resize_bilinear(line.data(), {1, 2, 1}, 1, 4, dst);
  const int expected[] = {0, 64, 191, 255};
  for (int i = 0; i < 4; ++i) CHECK_EQUAL(int(dst[i]), expected[i]);
  const std::vector<uint8_t> colours = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  uint8_t gray[4];
  gray_from_rgb(colours.data(), {1, 4, 3}, gray);
  const int luma[] = {76, 150, 29, 255};
  for (int i = 0; i < 4; ++i) CHECK_EQUAL(int(gray[i]), luma[i]);
}

TEST(refuses_empty_images) {
  bool refused = false;
  try {
    uint8_t dst;
    resize_bilinear(nullptr, {0, 3, 3}, 1, 1, &dst);
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused);
}
