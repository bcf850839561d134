#include "affine_gradient.h"

#include "channel_sums.h"

namespace ristretto {

void AffineGradient::check(const Arguments& a) {
  require_float(a.dst_diff, "dstDiff");
  const ChannelRows rows(a.dst_diff, a.axis, a.axes);
  check_channel_map(a.scale_diff ? a.src : a.dst_diff, a.dst_diff, rows);
  for (const auto& [tensor, name] : {std::pair{&a.scale_diff, "scaleDiff"}, {&a.bias_diff, "biasDiff"}}) {
    if (!*tensor) continue;
    require_contiguous(*tensor, name);
    require(tensor->count() == rows.channels, name, " ", tensor->shape_text(), " for ", rows.channels,
            " elements of dstDiff ", a.dst_diff.shape_text(), " from axis ", a.axis);
  }
}

void AffineGradient::run(Context& context, const Arguments& a) {
  const ChannelRows rows(a.dst_diff, a.axis, a.axes);
  const int64_t count = a.dst_diff.count();
  if (a.scale_diff)
    add_channel_sums(context, count, rows, a.scale_diff.f32(), 1, [&](int64_t row, int64_t i) {
      return double(row_of(a.dst_diff, rows, row)[i]) * row_of(a.src, rows, row)[i];
    });
  if (a.bias_diff)
    add_channel_sums(context, count, rows, a.bias_diff.f32(), 1,
                     [&](int64_t row, int64_t i) { return double(row_of(a.dst_diff, rows, row)[i]); });
}

}  // namespace ristretto
