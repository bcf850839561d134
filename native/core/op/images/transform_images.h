// transform images: a batch of decoded records -> the net's input. Per record: crop, mirror, subtract the
// mean, scale; dst[n,c,h,w] = (src[c, hOffset+h, wOffset+w] - mean) * scale, in float32, as Caffe's data
// transformer.
#pragma once

#include <cstdint>
#include <vector>

#include "../../dispatch.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class PixelLayout {
  planar,              // C, H, W, as raw Datums
  interleaved,         // H, W, C
  interleaved_swapped  // H, W, C with the first and third of three or four channels exchanged (RGB for BGR)
};

template <>
inline constexpr auto names_of<PixelLayout> = enum_names<PixelLayout>(
    "PixelLayout",
    {{"planar", PixelLayout::planar},
     {"interleaved", PixelLayout::interleaved},
     {"interleavedSwapped", PixelLayout::interleaved_swapped}},
    "How the elements of a record follow each other; swapped: channels 0 and 2 exchanged (RGB to BGR).");

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

  template <class F>
  static void fields(F& field) {
    using A = TransformImagesArguments;
    field("src", &A::src);
    field("geometry", &A::geometry);
    field("mean", &A::mean).optional().doc("(C), or (C, H, W) of the whole record.");
    field("dst", &A::dst);
    field("layout", &A::layout);
    field("scale", &A::scale).optional();
  }
};

struct TransformImages {
  using Arguments = TransformImagesArguments;
  static constexpr const char* name = "transformImages";
  static constexpr const char* doc =
      "dst (N, C, H, W) = (crop of src - mean) * scale. `geometry` is i32 (N, 7): per record the offset of "
      "its first element in src (low 31 bits, the rest), height, width, the crop's top and left, mirror.";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void transform_images_ref(Context& context, const TransformImagesArguments& arguments);
void transform_images_by_row(Context& context, const TransformImagesArguments& arguments);

}  // namespace ristretto
