#include "prelu.h"

#include "../channel_map.h"

namespace ristretto {

void Prelu::check(const Arguments& p) {
  const ChannelRows rows(p.src, 1, 1);
  check_channel_map(p.src, p.dst, rows);
  require_contiguous(p.slope, "slope");
  require(p.slope.count() == 1 || p.slope.count() == rows.channels, "slope ", p.slope.shape_text(), " for ",
          rows.channels, " channels");
}

void Prelu::run(Context& context, const Arguments& p) {
  const int64_t step = p.slope.count() == 1 ? 0 : 1;
  map_channels(context, p.src, p.dst, ChannelRows(p.src, 1, 1),
               [slope = p.slope.f32(), step](int64_t channel) {
                 return [s = slope[channel * step]](float x) { return x > 0 ? x : s * x; };
               });
}

}  // namespace ristretto
