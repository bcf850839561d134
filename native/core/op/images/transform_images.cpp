#include "transform_images.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ristretto {

namespace {

struct Record {
  int64_t offset, height, width, top, left;
  bool mirror;
};

Record record_of(const TransformImagesArguments& a, int64_t n) {
  const int32_t* row = static_cast<const int32_t*>(a.geometry.data) + n * ImageGeometry::columns;
  return {int64_t{row[ImageGeometry::offset_high]} << 31 | row[ImageGeometry::offset_low],
          row[ImageGeometry::height],
          row[ImageGeometry::width],
          row[ImageGeometry::top],
          row[ImageGeometry::left],
          row[ImageGeometry::mirror] != 0};
}

// Distances in src between neighbours of a record, and where each channel stands.
struct Strides {
  int64_t column, row, channel;
};
Strides strides_of(const TransformImagesArguments& a, const Record& r) {
  const int64_t channels = a.dst.dim[1];
  if (a.layout == PixelLayout::planar) return {1, r.width, r.height * r.width};
  return {channels, r.width * channels, 1};
}
int64_t source_channel(const TransformImagesArguments& a, int64_t c) {
  return a.layout == PixelLayout::interleaved_swapped && a.dst.dim[1] >= 3 && c < 3 ? 2 - c : c;
}

// One row of a channel in one pass, from any stride: convert, subtract, scale.
template <class Pixel>
void transform_row(const Pixel* src, int64_t step, int64_t width, const float* mean, float channel_mean,
                   float scale, float* dst) {
  if (mean) {
    for (int64_t w = 0; w < width; ++w) dst[w] = (float(src[w * step]) - mean[w]) * scale;
  } else if (step == 1) {
    for (int64_t w = 0; w < width; ++w) dst[w] = (float(src[w]) - channel_mean) * scale;
  } else if (step == 3) {
    for (int64_t w = 0; w < width; ++w) dst[w] = (float(src[w * 3]) - channel_mean) * scale;
  } else {
    for (int64_t w = 0; w < width; ++w) dst[w] = (float(src[w * step]) - channel_mean) * scale;
  }
}

template <class Pixel>
void transform_by_row(Context& context, const TransformImagesArguments& a) {
  const int64_t channels = a.dst.dim[1], height = a.dst.dim[2], width = a.dst.dim[3];
  const float scale = float(a.scale);
  const bool mean_image = a.mean && a.mean.rank == 3;
  context.pool.run(a.dst.images(), [&](int64_t n, int) {
    const Record r = record_of(a, n);
    const Strides strides = strides_of(a, r);
    for (int64_t h = 0; h < height; ++h)
      for (int64_t c = 0; c < channels; ++c) {
        const Pixel* src = static_cast<const Pixel*>(a.src.data) + r.offset + (r.top + h) * strides.row +
                           r.left * strides.column + source_channel(a, c) * strides.channel;
        const float* mean =
            mean_image ? a.mean.f32() + (c * r.height + r.top + h) * r.width + r.left : nullptr;
        // No mean subtracts 0, which changes no value that a pixel can have.
        const float channel_mean = a.mean && !mean_image ? a.mean.f32()[c] : 0.0f;
        float* dst = a.dst.image(n) + (c * height + h) * width;
        transform_row(src, strides.column, width, mean, channel_mean, scale, dst);
        if (r.mirror) std::reverse(dst, dst + width);
      }
  });
}

template <class Pixel>
void transform_ref(const TransformImagesArguments& a) {
  const int64_t height = a.dst.dim[2], width = a.dst.dim[3];
  for (int64_t n = 0; n < a.dst.images(); ++n) {
    const Record r = record_of(a, n);
    const Strides strides = strides_of(a, r);
    for (int64_t c = 0; c < a.dst.dim[1]; ++c)
      for (int64_t h = 0; h < height; ++h)
        for (int64_t w = 0; w < width; ++w) {
          const int64_t y = r.top + h, x = r.left + w;
          float value =
              float(static_cast<const Pixel*>(a.src.data)[r.offset + y * strides.row + x * strides.column +
                                                          source_channel(a, c) * strides.channel]);
          if (a.mean) value -= a.mean.f32()[a.mean.rank == 3 ? (c * r.height + y) * r.width + x : c];
          a.dst.image(n)[(c * height + h) * width + (r.mirror ? width - 1 - w : w)] = value * float(a.scale);
        }
  }
}

bool always(const TransformImagesArguments&, const CpuFeatures&) { return true; }

}  // namespace

void TransformImages::check(const Arguments& a) {
  require(a.src.type == DataType::u8 || a.src.type == DataType::f32, "src must hold u8 or f32");
  require(a.dst.type == DataType::f32 && a.dst.rank == 4, "dst must be (N, C, H, W) of f32");
  require(a.geometry.type == DataType::i32 && a.geometry.rank == 2 && a.geometry.contiguous() &&
              a.geometry.dim[1] == ImageGeometry::columns && a.geometry.dim[0] >= a.dst.dim[0],
          "geometry must be (N, 7) of i32");
  require(a.src.contiguous(), "src must be contiguous");
  const int64_t channels = a.dst.dim[1];
  if (a.mean) {
    require(a.mean.type == DataType::f32 && a.mean.contiguous() && (a.mean.rank == 1 || a.mean.rank == 3) &&
                a.mean.dim[0] == channels,
            "mean must be (C) or (C, H, W) of f32, not ", a.mean.shape_text());
  }
  for (int64_t n = 0; n < a.dst.images(); ++n) {
    const Record r = record_of(a, n);
    const bool inside =
        r.height > 0 && r.width > 0 && r.top >= 0 && r.left >= 0 && r.top + a.dst.dim[2] <= r.height &&
        r.left + a.dst.dim[3] <= r.width && r.offset >= 0 &&
        r.height <= std::numeric_limits<int64_t>::max() / (r.width * std::max<int64_t>(channels, 1)) &&
        r.offset <= a.src.count() - r.height * r.width * channels;
    require(inside, "record ", n, " of ", r.height, " x ", r.width, " at ", r.offset,
            " does not hold the crop, or does not lie in src");
    require(!a.mean || a.mean.rank == 1 || (a.mean.dim[1] == r.height && a.mean.dim[2] == r.width), "record ",
            n, " of ", r.height, " x ", r.width, " does not have the mean's size ", a.mean.dim[1], " x ",
            a.mean.dim[2]);
  }
}

void TransformImages::run(Context& context, const Arguments& a) {
  check(a);  // again: JavaScript may have written to geometry since
  select_kernel(rows(), a, context.features).run(context, a);
}

const std::vector<KernelRow<TransformImagesArguments>>& TransformImages::rows() {
  static const std::vector<KernelRow<Arguments>> table = {
      {"by_row", always, transform_images_by_row},
      {"ref", always, transform_images_ref},
  };
  return table;
}

void transform_images_by_row(Context& context, const TransformImagesArguments& a) {
  if (a.src.type == DataType::u8) return transform_by_row<uint8_t>(context, a);
  transform_by_row<float>(context, a);
}

void transform_images_ref(Context&, const TransformImagesArguments& a) {
  if (a.src.type == DataType::u8) return transform_ref<uint8_t>(a);
  transform_ref<float>(a);
}

}  // namespace ristretto
