// The input transform against its definition, and the definition against values worked out by hand.
#include "core/op/images/transform_images.h"

#include <cstring>
#include <vector>

#include "check.h"

using namespace ristretto;

namespace {

struct Problem {
  guarded::vector<uint8_t> pixels;
  guarded::vector<float> float_pixels, mean, dst;
  guarded::vector<int32_t> geometry;
  TransformImagesArguments a;

  void add(int64_t offset, int height, int width, int top, int left, bool mirror) {
    geometry.insert(geometry.end(),
                    {int32_t(offset & 0x7fffffff), int32_t(offset >> 31), height, width, top, left, mirror});
  }
  void finish(int64_t channels, int64_t crop_height, int64_t crop_width) {
    const int64_t n = int64_t(geometry.size()) / ImageGeometry::columns;
    dst.assign(size_t(n * channels * crop_height * crop_width), -7777.0f);
    a.dst = Tensor::of(dst.data(), {n, channels, crop_height, crop_width});
    a.geometry = Tensor::of(nullptr, {n, ImageGeometry::columns});
    a.geometry.data = geometry.data();
    a.geometry.type = DataType::i32;
    a.src = Tensor::of(nullptr, {int64_t(pixels.size() + float_pixels.size())});
    a.src.type = pixels.empty() ? DataType::f32 : DataType::u8;
    a.src.data = pixels.empty() ? static_cast<void*>(float_pixels.data()) : pixels.data();
  }
};

uint32_t next(uint32_t& state) { return state = state * 1664525u + 1013904223u; }

}  // namespace

TEST(crops_mirrors_and_subtracts) {
  Problem p;
  for (int i = 0; i < 2 * 3 * 3; ++i) p.pixels.push_back(uint8_t(10 * i));  // 2 x 3 pixels, RGB
  p.mean = {1, 2, 3};
  p.a.mean = Tensor::of(p.mean.data(), {3});
  p.a.layout = PixelLayout::interleaved_swapped;
  p.a.scale = 0.5;
  p.add(0, 2, 3, 1, 1, true);
  p.finish(3, 1, 2);
  TransformImages::check(p.a);
  Context context(1, CpuFeatures{});
  transform_images_ref(context, p.a);
  // Row 1, columns 1 and 2, mirrored; channels B, G, R.
  const float expected[] = {(170 - 1) / 2.0f, (140 - 1) / 2.0f, (160 - 2) / 2.0f,
                            (130 - 2) / 2.0f, (150 - 3) / 2.0f, (120 - 3) / 2.0f};
  for (int i = 0; i < 6; ++i) CHECK_EQUAL(p.dst[size_t(i)], expected[i]);
}

TEST(equals_the_definition_bit_for_bit) {
  uint32_t state = 5;
  Context context(2, CpuFeatures{});
  for (int problem = 0; problem < 60; ++problem) {
    Problem p;
    const int64_t channels = 1 + next(state) % 5, images = 1 + next(state) % 4;
    const int crop = 1 + int(next(state) % 9), kind = problem % 3;
    const bool mean_image = problem % 4 == 0;
    const int same = crop + int(next(state) % 5);
    p.a.layout = kind == 0   ? PixelLayout::planar
                 : kind == 1 ? PixelLayout::interleaved
                             : PixelLayout::interleaved_swapped;
    p.a.scale = problem % 5 ? 1.0 : double(1.0f / 256.0f / 3.0f);
    int64_t offset = 0;
    for (int64_t n = 0; n < images; ++n) {
      const int height = mean_image ? same : crop + int(next(state) % 7),
                width = mean_image ? same : crop + int(next(state) % 7);
      p.add(offset, height, width, int(next(state) % uint32_t(height - crop + 1)),
            int(next(state) % uint32_t(width - crop + 1)), next(state) >> 31);
      offset += channels * height * width;
    }
    for (int64_t i = 0; i < offset; ++i) {
      if (problem % 7 == 3)
        p.float_pixels.push_back(float(int32_t(next(state))) / 1e7f);
      else
        p.pixels.push_back(uint8_t(next(state) >> 24));
    }
    const int64_t mean_count = mean_image ? channels * same * same : channels;
    for (int64_t i = 0; i < mean_count; ++i) p.mean.push_back(float(next(state) % 100000) / 391.0f);
    if (problem % 6 != 1)
      p.a.mean = mean_image ? Tensor::of(p.mean.data(), {channels, same, same})
                            : Tensor::of(p.mean.data(), {channels});
    p.finish(channels, crop, crop);
    TransformImages::check(p.a);
    transform_images_ref(context, p.a);
    const guarded::vector<float> expected = p.dst;
    for (const auto& row : TransformImages::rows()) {
      std::fill(p.dst.begin(), p.dst.end(), -1.0f);
      row.run(context, p.a);
      CHECK(memcmp(p.dst.data(), expected.data(), expected.size() * 4) == 0, row.name, " in problem ",
            problem);
    }
  }
}

TEST(refuses_geometry_outside_the_records) {
  const int bad[][6] = {{1, 2, 3, 0, 0, 0},  {0, 2, 3, 1, 0, 0},  {0, 2, 3, 0, 1, 0},
                        {0, 2, 3, -1, 0, 0}, {-1, 2, 3, 0, 0, 0}, {0, 0x7fffffff, 0x7fffffff, 0, 0, 0},
                        {0, 2, 0, 0, 0, 0}};
  for (const auto& row : bad) {
    Problem p;
    p.pixels.resize(2 * 3 * 3);
    p.geometry = {row[0], 0, row[1], row[2], row[3], row[4], row[5]};
    p.finish(3, 2, 3);
    bool refused = false;
    try {
      TransformImages::check(p.a);
    } catch (const Error&) {
      refused = true;
    }
    CHECK(refused);
  }
}
