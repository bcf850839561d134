#include "transform_image.h"

namespace ristretto {

namespace {

// Where one axis of the source lies.
struct Layout {
  int64_t channels, height, width;
  int64_t channel_step, row_step, column_step;
};

Layout layout_of(const TransformImageArguments& a) {
  const int64_t* d = a.src.dim;
  if (a.channels_last) return {d[2], d[0], d[1], 1, d[1] * d[2], d[2]};
  return {d[0], d[1], d[2], d[1] * d[2], d[2], 1};
}

template <class Element>
void transform(const TransformImageArguments& a) {
  const Layout in = layout_of(a);
  const int64_t height = a.dst.dim[2], width = a.dst.dim[3];
  const Element* src = static_cast<const Element*>(a.src.data);
  float* dst = a.dst.f32();
  // Mirrored rows are written from their right end.
  const int64_t start = a.mirror ? width - 1 : 0, step = a.mirror ? -1 : 1;
  for (int64_t c = 0; c < in.channels; ++c)
    for (int64_t h = 0; h < height; ++h) {
      const Element* from =
          src + c * in.channel_step + (a.crop_top + h) * in.row_step + a.crop_left * in.column_step;
      float* to = dst + (c * height + h) * width + start;
      if (a.mean) {
        const float* mean = a.mean.f32() + (c * in.height + a.crop_top + h) * in.width + a.crop_left;
        for (int64_t w = 0; w < width; ++w)
          to[w * step] = (float(from[w * in.column_step]) - mean[w]) * a.scale;
      } else if (!a.mean_values.empty()) {
        const float mean = a.mean_values[a.mean_values.size() == 1 ? 0 : c];
        for (int64_t w = 0; w < width; ++w) to[w * step] = (float(from[w * in.column_step]) - mean) * a.scale;
      } else {
        for (int64_t w = 0; w < width; ++w) to[w * step] = float(from[w * in.column_step]) * a.scale;
      }
    }
}

}  // namespace

void TransformImage::check(const Arguments& a) {
  require(
      (a.src.type == DataType::u8 || a.src.type == DataType::f32) && a.src.rank == 3 && a.src.contiguous(),
      "a record is a dense u8 or f32 tensor of 3 axes");
  require(a.dst.type == DataType::f32 && a.dst.rank == 4 && a.dst.dim[0] == 1,
          "dst must be one f32 image (1, C, h, w)");
  const Layout in = layout_of(a);
  require(in.channels == a.dst.dim[1], "the record has ", in.channels, " channels, the blob ", a.dst.dim[1]);
  require(a.crop_top >= 0 && a.crop_left >= 0 && a.crop_top + a.dst.dim[2] <= in.height &&
              a.crop_left + a.dst.dim[3] <= in.width,
          "a crop of ", a.dst.dim[2], "x", a.dst.dim[3], " at (", a.crop_top, ", ", a.crop_left,
          ") does not fit a record of ", in.height, "x", in.width);
  require(!a.mean || a.mean_values.empty(), "mean_file and mean_value cannot both be given");
  if (a.mean) {
    const Tensor& m = a.mean;
    require(m.type == DataType::f32 && m.rank == 4 && m.dim[0] == 1 && m.dim[1] == in.channels &&
                m.dim[2] == in.height && m.dim[3] == in.width,
            "the mean of shape ", m.shape_text(), " does not fit a record of (", in.channels, ", ", in.height,
            ", ", in.width, ")");
  }
  require(a.mean_values.size() <= 1 || int64_t(a.mean_values.size()) == in.channels,
          "give one mean_value or ", in.channels, ", not ", a.mean_values.size());
}

void TransformImage::run(Context&, const Arguments& a) {
  if (a.src.type == DataType::u8)
    transform<uint8_t>(a);
  else
    transform<float>(a);
}

}  // namespace ristretto
