// Sums over all elements of a channel, for the gradients of what is broadcast over the others: in double,
// each channel's rows in their order, so that the result does not depend on the threads.
#pragma once

#include "channel_map.h"

namespace ristretto {

// to[c * step] += sum of term(row, i) over the rows of channel c and i < inner. Rows are counted over the
// whole tensor; with step 0 all channels add to one number.
template <class Term>
void add_channel_sums(Context& context, int64_t count, const ChannelRows& rows, float* to, int64_t step,
                      const Term& term) {
  if (count == 0) return;
  const int64_t groups = count / (rows.channels * rows.inner);
  const auto sum_of = [&](int64_t channel) {
    double sum = 0;
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t row = g * rows.channels + channel;
      double part = 0;
      for (int64_t i = 0; i < rows.inner; ++i) part += term(row, i);
      sum += part;
    }
    return sum;
  };
  if (step == 0) {
    double sum = 0;
    for (int64_t channel = 0; channel < rows.channels; ++channel) sum += sum_of(channel);
    *to += float(sum);
    return;
  }
  const int64_t grain = std::max<int64_t>(1, (1 << 14) / std::max<int64_t>(1, groups * rows.inner));
  context.pool.for_range(rows.channels, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t channel = begin; channel < end; ++channel) to[channel * step] += float(sum_of(channel));
  });
}

// The elements of row `row` of a tensor whose images are whole rows, or that has no gaps.
inline float* row_of(const Tensor& tensor, const ChannelRows& rows, int64_t row) {
  const int64_t first = row * rows.inner;
  if (tensor.contiguous()) return tensor.f32() + first;
  return tensor.f32() + first / tensor.image_count() * tensor.image_stride + first % tensor.image_count();
}

}  // namespace ristretto
