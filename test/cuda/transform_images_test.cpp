// Crops, mirrors and means on the device equal the definition, bit for bit.
#include "core/op/images/transform_images.h"

#include <vector>

#include "core/format/float_bits.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

enum class Mean { none, channel, image };

template <class Pixel>
void check_batch(PixelLayout layout, int64_t channels, Mean mean_kind) {
  const int64_t images = 3, height = 9, width = 11, crop_height = 7, crop_width = 6;
  const int64_t record = channels * height * width;
  Shared<Pixel> src(size_t(images * record));
  for (size_t i = 0; i < src.size(); ++i) src[i] = Pixel(i * 37 % 251);
  Shared<int32_t> geometry(size_t(images) * ImageGeometry::columns);
  for (int64_t n = 0; n < images; ++n) {
    int32_t* row = geometry.data() + n * ImageGeometry::columns;
    row[ImageGeometry::offset_low] = int32_t(n * record);
    row[ImageGeometry::height] = int32_t(height);
    row[ImageGeometry::width] = int32_t(width);
    row[ImageGeometry::top] = int32_t(n);
    row[ImageGeometry::left] = int32_t(5 - n);
    row[ImageGeometry::mirror] = n == 1;
  }
  Shared<float> mean(size_t(mean_kind == Mean::channel ? channels : record));
  for (size_t i = 0; i < mean.size(); ++i) mean[i] = float(i % 7) + 0.3f;
  const size_t count = size_t(images * channels * crop_height * crop_width);
  Shared<float> dst(count);
  guarded::vector<float> expected(count);

  TransformImagesArguments a;
  a.src = Tensor::of(nullptr, {int64_t(src.size())});
  a.src.data = src.data();
  a.src.type = sizeof(Pixel) == 1 ? DataType::u8 : DataType::f32;
  a.geometry = Tensor::of(nullptr, {images, ImageGeometry::columns});
  a.geometry.data = geometry.data();
  a.geometry.type = DataType::i32;
  if (mean_kind == Mean::channel) a.mean = Tensor::of(mean.data(), {channels});
  if (mean_kind == Mean::image) a.mean = Tensor::of(mean.data(), {channels, height, width});
  a.layout = layout;
  a.scale = 0.0078125;
  a.dst = Tensor::of(expected.data(), {images, channels, crop_height, crop_width});
  ristretto::Context context(1, {});
  transform_images_ref(context, a);
  a.dst.data = dst.data();
  CHECK(cuda::run(test_context(), a));
  test_context().synchronize();
  for (size_t i = 0; i < count; ++i)
    CHECK_EQUAL(bits_of(dst[i]), bits_of(expected[i]), "layout ", int(layout), " element ", i);
}

}  // namespace

TEST(equals_the_definition) {
  for (PixelLayout layout : {PixelLayout::planar, PixelLayout::interleaved, PixelLayout::interleaved_swapped})
    for (int64_t channels : {1, 3, 4})
      for (Mean mean : {Mean::none, Mean::channel, Mean::image}) {
        check_batch<uint8_t>(layout, channels, mean);
        check_batch<float>(layout, channels, mean);
      }
}

TEST(a_record_that_does_not_hold_its_crop_is_refused) {
  Shared<uint8_t> src(100);
  Shared<int32_t> geometry(ImageGeometry::columns);
  geometry[ImageGeometry::height] = geometry[ImageGeometry::width] = 10;
  geometry[ImageGeometry::top] = 5;
  Shared<float> dst(64);
  TransformImagesArguments a;
  a.src = Tensor::of(nullptr, {100});
  a.src.data = src.data();
  a.src.type = DataType::u8;
  a.geometry = Tensor::of(nullptr, {1, ImageGeometry::columns});
  a.geometry.data = geometry.data();
  a.geometry.type = DataType::i32;
  a.dst = Tensor::of(dst.data(), {1, 1, 8, 8});
  bool refused = false;
  try {
    cuda::run(test_context(), a);
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused);
}
