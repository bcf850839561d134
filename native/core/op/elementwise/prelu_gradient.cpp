#include "prelu_gradient.h"

#include "../channel_reduce.h"

namespace ristretto {

void PreluGradient::check(const Arguments& p) {
  require_float(p.src, "src");
  const ChannelRows rows(p.src, 1, 1);
  check_channel_reduce(p.src, "src", p.dst_diff, "dst_diff", rows);
  require_contiguous(p.slope, "slope");
  require(p.slope.count() == 1 || p.slope.count() == rows.channels, "slope ", p.slope.shape_text(), " for ",
          rows.channels, " channels");
  if (p.src_diff) check_channel_reduce(p.src, "src", p.src_diff, "src_diff", rows);
  if (p.slope_diff) {
    require_contiguous(p.slope_diff, "slope_diff");
    require(p.slope_diff.count() == p.slope.count(), "slope_diff ", p.slope_diff.shape_text(), " for slope ",
            p.slope.shape_text());
  }
}

void PreluGradient::run(Context& context, const Arguments& p) {
  const ChannelRows rows(p.src, 1, 1);
  const bool shared = p.slope.count() == 1;
  if (p.slope_diff) {
    const double* sums = reduce_channels(context, p.src, p.dst_diff, rows,
                                         [](float x, float diff) { return x > 0 ? 0.0 : double(x) * diff; });
    float* slope_diff = p.slope_diff.f32();
    if (shared) {
      double sum = slope_diff[0];
      for (int64_t c = 0; c < rows.channels; ++c) sum += sums[c];
      slope_diff[0] = float(sum);
    } else {
      for (int64_t c = 0; c < rows.channels; ++c) slope_diff[c] = float(slope_diff[c] + sums[c]);
    }
  }
  if (!p.src_diff) return;
  const float* slope = p.slope.f32();
  const int64_t lines = p.src.count() / std::max<int64_t>(1, rows.inner);
  const int64_t grain = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, rows.inner));
  context.pool.for_range(lines, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t image = line / rows.channels, channel = line % rows.channels,
                    offset = channel * rows.inner;
      const float s = slope[shared ? 0 : channel];
      const float *src = p.src.image(image) + offset, *diff = p.dst_diff.image(image) + offset;
      float* result = p.src_diff.image(image) + offset;
      for (int64_t i = 0; i < rows.inner; ++i) result[i] = diff[i] * (src[i] > 0 ? 1.0f : s);
    }
  });
}

}  // namespace ristretto
