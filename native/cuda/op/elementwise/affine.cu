// Scale and bias of channels, and the gradients of both.
#include "core/op/elementwise/affine.h"

#include "core/op/elementwise/affine_gradient.h"
#include "cuda/channels.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

template <bool kScale, bool kBias>
struct ScaleAndBias {
  ChannelOf channel;
  const float *scale, *bias;
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[1]) const {
    const uint32_t c = channel.of(element);
    float y = x[0];
    if (kScale) y = y * scale[c];
    if (kBias) y = y + bias[c];
    return y;
  }
};

template <bool kScale, bool kBias>
void scale(Context& context, const AffineArguments& a, const ChannelRows& rows) {
  map<1>(context, "affine", {a.src}, a.dst,
         ScaleAndBias<kScale, kBias>{ChannelOf(rows), a.scale.f32(), a.bias.f32()});
}

struct Product {
  RISTRETTO_DEVICE double operator()(float diff, float x) const { return double(diff) * x; }
};
struct First {
  RISTRETTO_DEVICE double operator()(float diff, float) const { return double(diff); }
};

}  // namespace

bool run(Context& context, const AffineArguments& a) {
  const ChannelRows rows(a.src, a.axis, a.axes);
  if (!divisible(a.src.count())) return false;
  if (a.scale)
    a.bias ? scale<true, true>(context, a, rows) : scale<true, false>(context, a, rows);
  else
    a.bias ? scale<false, true>(context, a, rows) : scale<false, false>(context, a, rows);
  return true;
}

bool run(Context& context, const AffineGradientArguments& a) {
  const ChannelRows rows(a.dst_diff, a.axis, a.axes);
  if (!can_sum_channels(a.dst_diff, rows)) return false;
  if (a.dst_diff.count() == 0) return true;
  if (a.scale_diff) add_channel_terms(context, a.dst_diff, a.src, rows, Product(), a.scale_diff.f32());
  if (a.bias_diff) add_channel_terms(context, a.dst_diff, a.dst_diff, rows, First(), a.bias_diff.f32());
  return true;
}

}  // namespace ristretto::cuda
