// lrn: local response normalisation. In place is allowed.
//
//   across:  dst = src * (k + alpha / size * sum of squares over `size` channels around it)^-beta
//   within:  dst = src * (1 + alpha * mean of squares over the size x size window around it)^-beta,
//            the mean as average pooling takes it, with padding (size - 1) / 2
#pragma once

#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../format/trim_format.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class LrnRegion : uint8_t { across_channels, within_channel };

template <>
inline constexpr auto names_of<LrnRegion> = enum_names<LrnRegion>("LrnRegion",
                                                                  {{"across", LrnRegion::across_channels},
                                                                   {"within", LrnRegion::within_channel}});

// What the scale is computed from.
template <class A, class F>
void lrn_scale_fields(F& field) {
  field("region", &A::region);
  field("size", &A::size).at_least(1);
  field("alpha", &A::alpha);
  field("beta", &A::beta);
  field("k", &A::k);
}

struct LrnArguments {
  Tensor src;  // (N, C, H, W)
  Tensor dst;  // the same shape; each may be a channel slice
  LrnRegion region = LrnRegion::across_channels;
  int64_t size = 5;  // odd
  float alpha = 1, beta = 0.75f, k = 1;
  TrimFormat trim;  // none, or minifloat: every intermediate result is trimmed (across channels only)

  template <class F>
  static void fields(F& field) {
    using A = LrnArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    lrn_scale_fields<A>(field);
    field("trim", &A::trim).doc("A minifloat: every intermediate result is trimmed.");
  }
};

struct Lrn {
  using Arguments = LrnArguments;
  static constexpr const char* name = "lrn";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void lrn_ref(Context& context, const LrnArguments& arguments);

}  // namespace ristretto
