#include "code_tensor.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace ristretto {

std::string CodeTensor::shape_text() const {
  std::ostringstream text;
  text << "(" << images << ", " << height << ", " << width << ", " << channels << ")";
  return text.str();
}

void check_code_tensor(const CodeTensor& t, const char* op, const char* name) {
  require(t.data != nullptr, op, ": no ", name);
  require(t.type == DataType::i8 || t.type == DataType::u8 || t.type == DataType::i16, op, ": ", name,
          " does not hold codes");
  constexpr int64_t kMost = int64_t{1} << 40;
  require(t.images >= 0 && t.height >= 1 && t.width >= 1 && t.channels >= 1, op, ": ", name, " has shape ",
          t.shape_text());
  require(t.halo_h >= 0 && t.halo_w >= 0 && t.halo_h <= kMost && t.halo_w <= kMost, op, ": ", name,
          " has a halo of ", t.halo_h, " rows and ", t.halo_w, " columns");
  for (const int64_t dim : {t.images, t.height, t.width, t.channels})
    require(dim <= kMost, op, ": ", name, " has shape ", t.shape_text());
  require(t.pixel_stride >= t.channels && t.row_stride / t.pixel_stride >= t.width + t.halo_w &&
              (t.images <= 1 || t.image_stride / t.row_stride >= t.height + t.halo_h),
          op, ": ", name, " of shape ", t.shape_text(), " has strides ", t.image_stride, ", ", t.row_stride,
          ", ", t.pixel_stride);
  const int most = t.type == DataType::i16 ? 32767 : 127;
  require(t.low >= -most - 1 && t.high <= most && t.low <= t.high, op, ": ", name, " has codes from ", t.low,
          " to ", t.high);
}

namespace {

// Pixels [begin, end) of row h.
void clear_pixels(const CodeTensor& t, int64_t n, int64_t h, int64_t begin, int64_t end) {
  const size_t bytes = t.channels * t.element_bytes();
  if (t.pixel_stride == t.channels) {
    std::memset(t.pixel(n, h, begin), t.zero(), bytes * std::max<int64_t>(0, end - begin));
    return;
  }
  for (int64_t w = begin; w < end; ++w) std::memset(t.pixel(n, h, w), t.zero(), bytes);
}

}  // namespace

void fill_halo(const CodeTensor& t, int64_t n, int64_t begin, int64_t end) {
  if (begin == 0)
    for (int64_t h = -t.halo_h; h < 0; ++h) clear_pixels(t, n, h, -t.halo_w, t.width + t.halo_w);
  for (int64_t h = begin; h < end; ++h) {
    clear_pixels(t, n, h, -t.halo_w, 0);
    clear_pixels(t, n, h, t.width, t.width + t.halo_w);
  }
  if (end == t.height)
    for (int64_t h = t.height; h < t.height + t.halo_h; ++h)
      clear_pixels(t, n, h, -t.halo_w, t.width + t.halo_w);
}

}  // namespace ristretto
