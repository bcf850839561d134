#include "affine.h"

#include "../channel_map.h"

namespace ristretto {

void Affine::check(const Arguments& a) {
  const ChannelRows rows(a.src, a.axis, a.axes);
  check_channel_map(a.src, a.dst, rows);
  for (const auto& [tensor, name] : {std::pair{&a.scale, "scale"}, {&a.bias, "bias"}}) {
    if (!*tensor) continue;
    require_contiguous(*tensor, name);
    require(tensor->count() == rows.channels, name, " ", tensor->shape_text(), " for ", rows.channels,
            " elements of src ", a.src.shape_text(), " from axis ", a.axis);
  }
}

void Affine::run(Context& context, const Arguments& a) {
  const ChannelRows rows(a.src, a.axis, a.axes);
  const float* scale = a.scale.f32();
  const float* bias = a.bias.f32();
  if (scale && bias)
    map_channels(context, a.src, a.dst, rows, [=](int64_t channel) {
      return [s = scale[channel], b = bias[channel]](float x) { return x * s + b; };
    });
  else if (scale)
    map_channels(context, a.src, a.dst, rows,
                 [=](int64_t channel) { return [s = scale[channel]](float x) { return x * s; }; });
  else if (bias)
    map_channels(context, a.src, a.dst, rows,
                 [=](int64_t channel) { return [b = bias[channel]](float x) { return x + b; }; });
  else
    map_channels(context, a.src, a.dst, rows, [](int64_t) { return [](float x) { return x; }; });
}

}  // namespace ristretto
