#include "prelu_gradient.h"

#include "channel_sums.h"

namespace ristretto {

void PreluGradient::check(const Arguments& p) {
  const ChannelRows rows(p.src, 1, 1);
  require_contiguous(p.src, "src");
  require_contiguous(p.slope, "slope");
  require_contiguous(p.dst_diff, "dstDiff");
  require_same_shape(p.src, "src", p.dst_diff, "dstDiff");
  require(p.slope.count() == 1 || p.slope.count() == rows.channels, "slope ", p.slope.shape_text(), " for ",
          rows.channels, " channels");
  if (p.src_diff) {
    require_contiguous(p.src_diff, "srcDiff");
    require_same_shape(p.src, "src", p.src_diff, "srcDiff");
  }
  if (p.slope_diff) {
    require_contiguous(p.slope_diff, "slopeDiff");
    require(p.slope_diff.count() == p.slope.count(), "slopeDiff ", p.slope_diff.shape_text(), " for slope ",
            p.slope.shape_text());
  }
}

void PreluGradient::run(Context& context, const Arguments& p) {
  const ChannelRows rows(p.src, 1, 1);
  const int64_t step = p.slope.count() == 1 ? 0 : 1;
  const float *src = p.src.f32(), *dst_diff = p.dst_diff.f32();
  // The slopes first: srcDiff may be dstDiff.
  if (p.slope_diff)
    add_channel_sums(context, p.src.count(), rows, p.slope_diff.f32(), step, [&](int64_t row, int64_t i) {
      const float x = src[row * rows.inner + i];
      return x > 0 ? 0.0 : double(x) * dst_diff[row * rows.inner + i];
    });
  if (!p.src_diff || p.src.count() == 0) return;
  const float* slope = p.slope.f32();
  float* src_diff = p.src_diff.f32();
  context.pool.for_range(p.src.count() / rows.inner, std::max<int64_t>(1, (1 << 14) / rows.inner),
                         [&](int64_t begin, int64_t end, int) {
                           for (int64_t row = begin; row < end; ++row) {
                             const float s = slope[row % rows.channels * step];
                             for (int64_t i = row * rows.inner; i < (row + 1) * rows.inner; ++i)
                               src_diff[i] = src[i] > 0 ? dst_diff[i] : s * dst_diff[i];
                           }
                         });
}

}  // namespace ristretto
