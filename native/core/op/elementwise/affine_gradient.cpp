#include "affine_gradient.h"

#include "../channel_reduce.h"

namespace ristretto {

void AffineGradient::check(const Arguments& a) {
  require_float(a.dst_diff, "dstDiff");
  const ChannelRows rows(a.dst_diff, a.axis, a.axes);
  check_channel_reduce(a.dst_diff, "dstDiff", a.scale_diff ? a.src : a.dst_diff,
                       a.scale_diff ? "src" : "dstDiff", rows);
  for (const auto& [tensor, name] : {std::pair{&a.scale_diff, "scaleDiff"}, {&a.bias_diff, "biasDiff"}}) {
    if (!*tensor) continue;
    require_contiguous(*tensor, name);
    require(tensor->count() == rows.channels, name, " ", tensor->shape_text(), " for ", rows.channels,
            " elements of dstDiff ", a.dst_diff.shape_text(), " from axis ", a.axis);
  }
}

void AffineGradient::run(Context& context, const Arguments& a) {
  const ChannelRows rows(a.dst_diff, a.axis, a.axes);
  const auto add = [&](const Tensor& to, const double* sums) {
    for (int64_t c = 0; c < rows.channels; ++c) to.f32()[c] = float(to.f32()[c] + sums[c]);
  };
  if (a.scale_diff)
    add(a.scale_diff, reduce_channels(context, a.dst_diff, a.src, rows,
                                      [](float diff, float x) { return double(diff) * x; }));
  if (a.bias_diff)
    add(a.bias_diff, reduce_channels(context, a.dst_diff, a.dst_diff, rows,
                                     [](float diff, float) { return double(diff); }));
}

}  // namespace ristretto
