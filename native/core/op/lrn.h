// lrn: local response normalisation. In place is allowed.
//
//   across:  dst = src * (k + alpha / size * sum of squares over `size` channels around it)^-beta
//   within:  dst = src * (1 + alpha * mean of squares over the size x size window around it)^-beta,
//            the mean as average pooling takes it, with padding (size - 1) / 2
#pragma once

#include <vector>

#include "../context.h"
#include "../dispatch.h"
#include "../format/trim_format.h"
#include "../tensor_view.h"

namespace ristretto {

enum class LrnRegion : uint8_t { across_channels, within_channel };

struct LrnArguments {
  Tensor src;  // (N, C, H, W)
  Tensor dst;  // the same shape; each may be a channel slice
  LrnRegion region = LrnRegion::across_channels;
  int64_t size = 5;  // odd
  float alpha = 1, beta = 0.75f, k = 1;
  TrimFormat trim;  // none, or minifloat: every intermediate result is trimmed (across channels only)
};

struct Lrn {
  using Arguments = LrnArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void lrn_ref(Context& context, const LrnArguments& arguments);

}  // namespace ristretto
