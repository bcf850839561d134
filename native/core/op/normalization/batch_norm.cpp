#include "batch_norm.h"

#include <cmath>

#include "../channel_map.h"
#include "moments.h"

namespace ristretto {
namespace {

ChannelRows rows_of(const Tensor& src) {
  return src.rank == 1 ? ChannelRows(src, 0, 0) : ChannelRows(src, 1, 1);
}

}  // namespace

void BatchNorm::check(const Arguments& b) {
  const ChannelRows rows = rows_of(b.src);
  check_channel_map(b.src, b.dst, rows);
  for (const auto& [tensor, name] : {std::pair{&b.mean, "mean"}, {&b.variance, "variance"}}) {
    require_contiguous(*tensor, name);
    require(tensor->count() == rows.channels, name, " ", tensor->shape_text(), " for ", rows.channels,
            " channels");
  }
  require_contiguous(b.weight, "weight");
  require(b.weight.count() == 1, "weight ", b.weight.shape_text(), " is not one element");
  if (!b.used) return;
  require_contiguous(b.used, "used");
  require(b.used.count() == 2 * rows.channels, "used ", b.used.shape_text(), " for ", rows.channels,
          " channels");
}

void BatchNorm::run(Context& context, const Arguments& b) {
  const ChannelRows rows = rows_of(b.src);
  if (b.src.count() == 0) return;
  float* mean =
      b.used ? b.used.f32() : static_cast<float*>(context.shared_scratch(2 * rows.channels * sizeof(float)));
  float* deviation = mean + rows.channels;
  const float weight = b.weight.f32()[0];
  const float scale = weight == 0 ? 0 : 1 / weight;
  const int64_t images = b.src.images();
  const int64_t length = b.src.rank == 1 ? 1 : rows.inner;
  const int64_t count = images * length;
  const float fraction = b.moving_average_fraction;
  const float correction = count > 1 ? float(double(count) / double(count - 1)) : 1.0f;
  context.pool.for_range(rows.channels, b.update ? 1 : 1 << 12, [&](int64_t begin, int64_t end, int) {
    for (int64_t c = begin; c < end; ++c) {
      float variance = b.variance.f32()[c] * scale;
      mean[c] = b.mean.f32()[c] * scale;
      if (b.update) {
        const Moments batch =
            moments_of(images, length, [&](int64_t n) { return b.src.image(n) + c * length; });
        mean[c] = float(batch.mean);
        variance = float(batch.variance);
        b.mean.f32()[c] = fraction * b.mean.f32()[c] + mean[c];
        b.variance.f32()[c] = fraction * b.variance.f32()[c] + correction * variance;
      }
      deviation[c] = std::sqrt(variance + b.eps);
    }
  });
  if (b.update) b.weight.f32()[0] = fraction * weight + 1;
  map_channels(context, b.src, b.dst, rows, [=](int64_t channel) {
    return [m = mean[channel], d = deviation[channel]](float x) { return (x - m) / d; };
  });
}

}  // namespace ristretto
