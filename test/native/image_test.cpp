#include <algorithm>
#include <cmath>
#include <random>

#include "check.h"
#include "core/op/images/gray_image.h"
#include "core/op/images/resize_image.h"

using namespace ristretto;

namespace {

Tensor bytes(guarded::vector<uint8_t>& data, std::initializer_list<int64_t> dims) {
  Tensor t = Tensor::of(nullptr, dims);
  t.data = data.data();
  t.type = DataType::u8;
  return t;
}

guarded::vector<uint8_t> resize(guarded::vector<uint8_t> src, int64_t h, int64_t w, int64_t c, int64_t to_h,
                                int64_t to_w, int threads = 1) {
  guarded::vector<uint8_t> dst(to_h * to_w * c);
  ResizeImageArguments a;
  a.src = bytes(src, {h, w, c});
  a.dst = bytes(dst, {to_h, to_w, c});
  ResizeImage::check(a);
  Context context(threads, CpuFeatures{});
  ResizeImage::run(context, a);
  return dst;
}

guarded::vector<uint8_t> noise(size_t count) {
  std::mt19937 random(7);
  guarded::vector<uint8_t> data(count);
  for (uint8_t& x : data) x = uint8_t(random());
  return data;
}

}  // namespace

TEST(stretching_two_pixels_gives_what_opencv_gives) {
  const guarded::vector<uint8_t> expected = {0, 64, 191, 255};
  CHECK(resize({0, 255}, 1, 2, 1, 1, 4) == expected);
  CHECK(resize({0, 255}, 2, 1, 1, 4, 1) == expected);
}

TEST(halving_is_the_mean_of_four) {
  const guarded::vector<uint8_t> out = resize({1, 2, 30, 40, 3, 5, 50, 60}, 2, 4, 1, 1, 2);
  CHECK_EQUAL(int(out[0]), (1 + 2 + 3 + 5 + 2) / 4);
  CHECK_EQUAL(int(out[1]), (30 + 40 + 50 + 60 + 2) / 4);
}

TEST(a_resized_image_stays_within_one_step_of_exact_interpolation) {
  const int64_t h = 23, w = 31, c = 3;
  const guarded::vector<uint8_t> src = noise(h * w * c);
  for (const auto& [to_h, to_w] :
       {std::pair<int64_t, int64_t>{17, 40}, {64, 64}, {5, 7}, {46, 62}, {23, 30}}) {
    const guarded::vector<uint8_t> out = resize(src, h, w, c, to_h, to_w);
    for (int64_t y = 0; y < to_h; ++y)
      for (int64_t x = 0; x < to_w; ++x)
        for (int64_t k = 0; k < c; ++k) {
          const double py = std::clamp((y + 0.5) * h / to_h - 0.5, 0.0, double(h - 1));
          const double px = std::clamp((x + 0.5) * w / to_w - 0.5, 0.0, double(w - 1));
          const int64_t y0 = int64_t(py), x0 = int64_t(px), y1 = std::min(y0 + 1, h - 1),
                        x1 = std::min(x0 + 1, w - 1);
          const auto at = [&](int64_t yy, int64_t xx) { return double(src[(yy * w + xx) * c + k]); };
          const double fy = py - y0, fx = px - x0;
          const double exact = (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) +
                               fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1));
          CHECK(std::abs(exact - out[(y * to_w + x) * c + k]) <= 1.0, "at ", y, ",", x, ",", k, ": ", exact);
        }
  }
}

TEST(threads_do_not_change_a_resized_image) {
  const guarded::vector<uint8_t> src = noise(100 * 90 * 3);
  CHECK(resize(src, 100, 90, 3, 227, 227, 1) == resize(src, 100, 90, 3, 227, 227, 3));
}

TEST(gray_of_the_pure_colours) {
  const guarded::vector<uint8_t> colours = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
  const guarded::vector<uint8_t> expected = {76, 150, 29, 255};
  guarded::vector<uint8_t> gray(4);
  gray_from_rgb(colours.data(), 4, 3, gray.data());
  CHECK(gray == expected);
}

TEST(gray_with_other_weights) {
  const guarded::vector<uint8_t> colours = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 200, 77, 9};
  // Rounded down, from pixels of four bytes.
  guarded::vector<uint8_t> gray(4);
  gray_from_rgb(colours.data(), 4, 4, gray.data(), {9797, 19234, 3737, 0, 15});
  const guarded::vector<uint8_t> expected = {76, 76, 255, 129};
  CHECK(gray == expected);
}
