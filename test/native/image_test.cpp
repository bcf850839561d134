#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "check.h"
#include "core/op/resize_image.h"
#include "core/op/transform_image.h"

using namespace ristretto;

namespace {

Tensor bytes(std::vector<uint8_t>& data, std::initializer_list<int64_t> dims) {
  Tensor t = Tensor::of(nullptr, dims);
  t.data = data.data();
  t.type = DataType::u8;
  return t;
}

std::vector<uint8_t> resize(std::vector<uint8_t> src, int64_t h, int64_t w, int64_t c, int64_t to_h,
                            int64_t to_w, int threads = 1) {
  std::vector<uint8_t> dst(to_h * to_w * c);
  ResizeImageArguments a;
  a.src = bytes(src, {h, w, c});
  a.dst = bytes(dst, {to_h, to_w, c});
  ResizeImage::check(a);
  Context context(threads, CpuFeatures{});
  ResizeImage::run(context, a);
  return dst;
}

std::vector<uint8_t> noise(size_t count) {
  std::mt19937 random(7);
  std::vector<uint8_t> data(count);
  for (uint8_t& x : data) x = uint8_t(random());
  return data;
}

}  // namespace

TEST(stretching_two_pixels_gives_what_opencv_gives) {
  const std::vector<uint8_t> expected = {0, 64, 191, 255};
  CHECK(resize({0, 255}, 1, 2, 1, 1, 4) == expected);
  CHECK(resize({0, 255}, 2, 1, 1, 4, 1) == expected);
}

TEST(halving_is_the_mean_of_four) {
  const std::vector<uint8_t> out = resize({1, 2, 30, 40, 3, 5, 50, 60}, 2, 4, 1, 1, 2);
  CHECK_EQUAL(int(out[0]), (1 + 2 + 3 + 5 + 2) / 4);
  CHECK_EQUAL(int(out[1]), (30 + 40 + 50 + 60 + 2) / 4);
}

TEST(a_resized_image_stays_within_one_step_of_exact_interpolation) {
  const int64_t h = 23, w = 31, c = 3;
  const std::vector<uint8_t> src = noise(h * w * c);
  for (const auto& [to_h, to_w] :
       {std::pair<int64_t, int64_t>{17, 40}, {64, 64}, {5, 7}, {46, 62}, {23, 30}}) {
    const std::vector<uint8_t> out = resize(src, h, w, c, to_h, to_w);
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
  const std::vector<uint8_t> src = noise(100 * 90 * 3);
  CHECK(resize(src, 100, 90, 3, 227, 227, 1) == resize(src, 100, 90, 3, 227, 227, 3));
}

TEST(a_record_is_cropped_mirrored_and_scaled_the_same_from_either_layout) {
  const int64_t c = 3, h = 6, w = 7, crop = 4;
  std::vector<uint8_t> planar = noise(c * h * w), interleaved(planar.size());
  for (int64_t k = 0; k < c; ++k)
    for (int64_t i = 0; i < h * w; ++i) interleaved[i * c + k] = planar[k * h * w + i];
  std::vector<float> mean(c * h * w);
  for (size_t i = 0; i < mean.size(); ++i) mean[i] = float(i) * 0.37f;
  Context context(1, CpuFeatures{});
  for (const bool mirror : {false, true})
    for (int with_mean = 0; with_mean < 3; ++with_mean)
      for (const bool channels_last : {false, true}) {
        std::vector<float> dst(c * crop * crop);
        TransformImageArguments a;
        a.src = channels_last ? bytes(interleaved, {h, w, c}) : bytes(planar, {c, h, w});
        a.dst = Tensor::of(dst.data(), {1, c, crop, crop});
        if (with_mean == 1) a.mean = Tensor::of(mean.data(), {1, c, h, w});
        if (with_mean == 2) a.mean_values = {104, 117, 123};
        a.channels_last = channels_last;
        a.mirror = mirror;
        a.crop_top = 1;
        a.crop_left = 2;
        a.scale = 0.25f;
        TransformImage::check(a);
        TransformImage::run(context, a);
        for (int64_t k = 0; k < c; ++k)
          for (int64_t y = 0; y < crop; ++y)
            for (int64_t x = 0; x < crop; ++x) {
              const int64_t at = (k * h + 1 + y) * w + 2 + (mirror ? crop - 1 - x : x);
              const float less = with_mean == 1 ? mean[at] : with_mean == 2 ? a.mean_values[k] : 0.f;
              CHECK_EQUAL(dst[(k * crop + y) * crop + x], (float(planar[at]) - less) * 0.25f);
            }
      }
}

TEST(what_does_not_fit_is_refused) {
  std::vector<uint8_t> src(3 * 4 * 4);
  std::vector<float> dst(3 * 4 * 4);
  TransformImageArguments a;
  a.src = bytes(src, {3, 4, 4});
  a.dst = Tensor::of(dst.data(), {1, 3, 4, 4});
  a.crop_left = 1;
  bool refused = false;
  try {
    TransformImage::check(a);
  } catch (const Error& e) {
    refused = std::strstr(e.what(), "does not fit") != nullptr;
  }
  CHECK(refused);
}
