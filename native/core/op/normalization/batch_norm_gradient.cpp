#include "batch_norm_gradient.h"

#include <algorithm>

#include "../channel_map.h"

namespace ristretto {
namespace {

ChannelRows rows_of(const Tensor& tensor) {
  return tensor.rank == 1 ? ChannelRows(tensor, 0, 0) : ChannelRows(tensor, 1, 1);
}

}  // namespace

void BatchNormGradient::check(const Arguments& b) {
  const ChannelRows rows = rows_of(b.src_diff);
  check_channel_map(b.src_diff, b.dst_diff, rows);
  require_contiguous(b.used, "used");
  require(b.used.count() == 2 * rows.channels, "used ", b.used.shape_text(), " for ", rows.channels,
          " channels");
  if (b.batch) check_channel_map(b.src_diff, b.src, rows);
}

void BatchNormGradient::run(Context& context, const Arguments& b) {
  const ChannelRows rows = rows_of(b.src_diff);
  if (b.src_diff.count() == 0) return;
  const float *mean = b.used.f32(), *deviation = mean + rows.channels;
  if (!b.batch) {
    map_channels(context, b.dst_diff, b.src_diff, rows,
                 [=](int64_t channel) { return [d = deviation[channel]](float x) { return x / d; }; });
    return;
  }
  const int64_t images = b.src_diff.images(), length = b.src_diff.rank == 1 ? 1 : rows.inner;
  const double count = double(images) * double(length);
  const int64_t grain = (1 << 14) / (images * length) + 1;
  context.pool.for_range(rows.channels, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t c = begin; c < end; ++c) {
      const float m = mean[c], d = deviation[c];
      double sum = 0, product = 0;
      for (int64_t n = 0; n < images; ++n) {
        const float *src = b.src.image(n) + c * length, *diff = b.dst_diff.image(n) + c * length;
        for (int64_t i = 0; i < length; ++i) {
          sum += diff[i];
          product += double(diff[i]) * double(src[i] - m);
        }
      }
      const float mean_diff = float(sum / count), slope = float(product / count / d / d);
      for (int64_t n = 0; n < images; ++n) {
        const float *src = b.src.image(n) + c * length, *diff = b.dst_diff.image(n) + c * length;
        float* out = b.src_diff.image(n) + c * length;
        for (int64_t i = 0; i < length; ++i) out[i] = (diff[i] - mean_diff - (src[i] - m) * slope) / d;
      }
    }
  });
}

}  // namespace ristretto
