// PReLU and its gradients.
#include "core/op/elementwise/prelu.h"

#include "core/op/elementwise/prelu_gradient.h"
#include "cuda/channels.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

struct Slopes {
  ChannelOf channel;
  const float* slope;
  int step;  // 0: one for all
  RISTRETTO_DEVICE float of(int64_t element) const { return slope[channel.of(element) * uint32_t(step)]; }
};
struct Bend {
  Slopes slopes;
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[1]) const {
    return x[0] > 0 ? x[0] : slopes.of(element) * x[0];
  }
};
struct BendGradient {
  Slopes slopes;
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[2]) const {
    return x[1] * (x[0] > 0 ? 1.0f : slopes.of(element));
  }
};
struct SlopeTerm {
  RISTRETTO_DEVICE double operator()(float x, float diff) const { return x > 0 ? 0.0 : double(x) * diff; }
};

}  // namespace

bool run(Context& context, const PreluArguments& p) {
  if (!divisible(p.src.count())) return false;
  const Slopes slopes{ChannelOf(ChannelRows(p.src, 1, 1)), p.slope.f32(), p.slope.count() == 1 ? 0 : 1};
  map<1>(context, "prelu", {p.src}, p.dst, Bend{slopes});
  return true;
}

bool run(Context& context, const PreluGradientArguments& p) {
  const ChannelRows rows(p.src, 1, 1);
  const bool shared = p.slope.count() == 1;
  if (!can_sum_channels(p.src, rows)) return false;
  if (p.src.count() == 0) return true;
  if (p.slope_diff)
    add_channel_terms(context, p.src, p.dst_diff, rows, SlopeTerm(), p.slope_diff.f32(), shared);
  if (p.src_diff)
    map<2>(context, "prelu_gradient", {p.src, p.dst_diff}, p.src_diff,
           BendGradient{{ChannelOf(rows), p.slope.f32(), shared ? 0 : 1}});
  return true;
}

}  // namespace ristretto::cuda
