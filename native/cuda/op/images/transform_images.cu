// Crops, mirrors, subtracts the mean and scales a batch of images: a thread for every value of the net's
// input, in its order, so that writes are whole lines and the records' bytes come through the cache.
#include <algorithm>

#include "core/op/images/transform_images.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

struct TransformJob {
  const void* src;
  int64_t src_count;
  const int32_t* geometry;
  const float* mean;  // null: none
  bool mean_image;
  float* dst;
  int64_t image_stride;
  int channels, height, width;
  PixelLayout layout;
  float scale;
};

template <class Pixel>
RISTRETTO_KERNEL(kThreads, 4)
transform_pixels(TransformJob job) {
  const int64_t n = block_index(1);
  const int32_t* row = job.geometry + n * ImageGeometry::columns;
  const int64_t offset = int64_t{row[ImageGeometry::offset_high]} << 31 | row[ImageGeometry::offset_low];
  const int64_t record_height = row[ImageGeometry::height], record_width = row[ImageGeometry::width];
  const bool planar = job.layout == PixelLayout::planar;
  const int64_t column_stride = planar ? 1 : job.channels, row_stride = record_width * column_stride;
  const int64_t channel_stride = planar ? record_height * record_width : 1;
  const bool swapped = job.layout == PixelLayout::interleaved_swapped && job.channels >= 3;
  const int count = job.channels * job.height * job.width;
  for (int i = block_index() * kThreads + thread_index(); i < count; i += blocks() * kThreads) {
    const int w = i % job.width, h = i / job.width % job.height, c = i / job.width / job.height;
    const int64_t y = row[ImageGeometry::top] + h;
    const int64_t x = row[ImageGeometry::left] + (row[ImageGeometry::mirror] ? job.width - 1 - w : w);
    const int64_t at =
        offset + y * row_stride + x * column_stride + (swapped && c < 3 ? 2 - c : c) * channel_stride;
    float value = 0;
    // The geometry was checked before the launch; whoever changes it behind that reads nothing beyond src.
    if (at >= 0 && at < job.src_count) {
      const float mean =
          !job.mean ? 0.0f : job.mean[job.mean_image ? (c * record_height + y) * record_width + x : c];
      value = (float(static_cast<const Pixel*>(job.src)[at]) - mean) * job.scale;
    }
    job.dst[n * job.image_stride + i] = value;
  }
}

}  // namespace

bool run(Context& context, const TransformImagesArguments& a) {
  TransformImages::check(a);  // again: JavaScript may have written to geometry since
  const int64_t count = a.dst.image_count();
  if (a.dst.count() == 0) return true;
  if (count > (int64_t{1} << 30) || a.dst.images() > 65535) return false;
  context.prefetch(a.src.data, size_t(a.src.count() * size_of(a.src.type)));
  const TransformJob job{a.src.data,         a.src.count(),     static_cast<const int32_t*>(a.geometry.data),
                         a.mean.f32(),       a.mean.rank == 3,  a.dst.f32(),
                         a.dst.image_stride, int(a.dst.dim[1]), int(a.dst.dim[2]),
                         int(a.dst.dim[3]),  a.layout,          float(a.scale)};
  const Grid grid{int(std::min<int64_t>((count + kThreads - 1) / kThreads, 64)), int(a.dst.images()), 1};
  if (a.src.type == DataType::u8)
    launch(context, "transform_pixels", grid, kThreads, 0, transform_pixels<uint8_t>, job);
  else
    launch(context, "transform_pixels", grid, kThreads, 0, transform_pixels<float>, job);
  return true;
}

}  // namespace ristretto::cuda
