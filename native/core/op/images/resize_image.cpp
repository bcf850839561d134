#include "resize_image.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ristretto {

namespace {

constexpr int kCoefficientBits = 11;
constexpr int kOne = 1 << kCoefficientBits;

// Which two source positions one destination position mixes, and with what weights (they sum to kOne).
struct Tap {
  int64_t first, second;
  int weight_first, weight_second;
};

int rounded(float x) { return int(std::nearbyintf(x * kOne)); }

// Positions outside the image repeat its edge. Along a row the weight moves to the edge pixel with the
// position; down the columns only the position is clamped. The results are the same, the rounding is not.
std::vector<Tap> taps(int64_t src, int64_t dst, bool clamp_weight) {
  std::vector<Tap> all(dst);
  const double scale = 1.0 / (double(dst) / double(src));
  for (int64_t i = 0; i < dst; ++i) {
    float position = float((double(i) + 0.5) * scale - 0.5);
    int64_t first = int64_t(std::floor(position));
    position -= float(first);
    if (clamp_weight && first < 0) first = 0, position = 0;
    if (clamp_weight && first >= src - 1) first = src - 1, position = 0;
    all[i] = {std::clamp<int64_t>(first, 0, src - 1), std::clamp<int64_t>(first + 1, 0, src - 1),
              rounded(1.f - position), rounded(position)};
  }
  return all;
}

void halve(const ResizeImageArguments& a) {
  const int64_t height = a.dst.dim[0], width = a.dst.dim[1], channels = a.dst.dim[2],
                row = a.src.dim[1] * channels;
  const uint8_t* src = static_cast<const uint8_t*>(a.src.data);
  uint8_t* dst = static_cast<uint8_t*>(a.dst.data);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        const uint8_t* p = src + 2 * y * row + 2 * x * channels + c;
        *dst++ = uint8_t((p[0] + p[channels] + p[row] + p[row + channels] + 2) >> 2);
      }
}

}  // namespace

void ResizeImage::check(const Arguments& a) {
  for (const Tensor* t : {&a.src, &a.dst})
    require(t->type == DataType::u8 && t->rank == 3 && t->contiguous(),
            "an image is a dense u8 tensor (H, W, C)");
  require(a.src.dim[2] == a.dst.dim[2], "the images differ in channels: ", a.src.dim[2], " and ",
          a.dst.dim[2]);
  require(a.src.count() > 0 && a.dst.count() > 0, "cannot resize ", a.src.shape_text(), " to ",
          a.dst.shape_text());
}

void ResizeImage::run(Context& context, const Arguments& a) {
  const int64_t channels = a.src.dim[2], src_height = a.src.dim[0], src_width = a.src.dim[1];
  const int64_t dst_height = a.dst.dim[0], dst_width = a.dst.dim[1];
  const uint8_t* src = static_cast<const uint8_t*>(a.src.data);
  uint8_t* dst = static_cast<uint8_t*>(a.dst.data);
  if (a.src.same_shape(a.dst)) {
    std::copy(src, src + a.src.count(), dst);
    return;
  }
  if (src_height == 2 * dst_height && src_width == 2 * dst_width) return halve(a);

  const std::vector<Tap> columns = taps(src_width, dst_width, true),
                         rows = taps(src_height, dst_height, false);
  const int64_t row = dst_width * channels;
  const auto stretch = [&](int64_t y, int32_t* out) {
    const uint8_t* line = src + y * src_width * channels;
    for (const Tap& tap : columns)
      for (int64_t c = 0; c < channels; ++c)
        *out++ = line[tap.first * channels + c] * tap.weight_first +
                 line[tap.second * channels + c] * tap.weight_second;
  };
  context.pool.for_range(dst_height, 16, [&](int64_t begin, int64_t end, int) {
    // The two stretched source rows in use; neighbours share them.
    std::vector<int32_t> upper(row), lower(row);
    int64_t upper_y = -1, lower_y = -1;
    for (int64_t y = begin; y < end; ++y) {
      const Tap& tap = rows[y];
      if (upper_y != tap.first) {
        if (lower_y == tap.first) {
          std::swap(upper, lower);
          std::swap(upper_y, lower_y);
        } else {
          stretch(tap.first, upper.data());
          upper_y = tap.first;
        }
      }
      if (lower_y != tap.second) {
        stretch(tap.second, lower.data());
        lower_y = tap.second;
      }
      uint8_t* out = dst + y * row;
      for (int64_t x = 0; x < row; ++x)
        out[x] = uint8_t((((tap.weight_first * (upper[x] >> 4)) >> 16) +
                          ((tap.weight_second * (lower[x] >> 4)) >> 16) + 2) >>
                         2);
    }
  });
}

}  // namespace ristretto
