// transform images: a batch of decoded records -> the net's input. Per record: crop, mirror, subtract the
// mean, scale; dst[n,c,h,w] = (src[c, hOffset+h, wOffset+w] - mean) * scale, in float32, as Caffe's data
// transformer.
#pragma once

#include <cstdint>
#include <vector>

#include "../dispatch.h"
#include "../tensor_view.h"

namespace ristretto {

enum class PixelLayout {
  planar,              // C, H, W, as raw Datums
  interleaved,         // H, W, C
  interleaved_swapped  // H, W, C with the first and third of three or four channels exchanged (RGB for BGR)
};

// One row of `geometry` per record, int32.
struct ImageGeometry {
  enum Column { offset_low, offset_high, height, width, top, left, mirror, columns };
};

struct TransformImagesArguments {
  Tensor src;       // u8 or f32, any shape: the records' pixels
  Tensor geometry;  // i32 (N, 7): offset of the record's first element in src (low, high 31 bits), its height
                    // and width, the crop's top and left, mirror
  Tensor
      mean;  // empty; f32 (C); or f32 (C, H, W) of the whole record, then every record has its height, width
  Tensor dst;  // f32 (N, C, crop height, crop width)
  PixelLayout layout = PixelLayout::planar;
  double scale = 1;  // a float32
};

struct TransformImages {
  using Arguments = TransformImagesArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void transform_images_ref(Context& context, const TransformImagesArguments& arguments);
void transform_images_by_row(Context& context, const TransformImagesArguments& arguments);

}  // namespace ristretto
