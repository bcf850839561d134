#include "sum_channels.h"

#include <algorithm>

namespace ristretto {

namespace {

// In an order that depends on the count alone.
double sum_span(const float* values, int64_t count) {
  constexpr int kSums = 32;
  float sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums)
    for (int j = 0; j < kSums; ++j) sums[j] += values[i + j];
  double total = 0;
  for (float sum : sums) total += sum;
  for (; i < count; ++i) total += values[i];
  return total;
}

}  // namespace

void sum_channels(Context& context, const Tensor& tensor, float* sums) {
  const int64_t pixels = tensor.count(2);
  context.pool.for_range(tensor.dim[1], std::max<int64_t>(1, 16384 / (tensor.images() * pixels + 1)),
                         [&](int64_t begin, int64_t end, int) {
                           for (int64_t k = begin; k < end; ++k) {
                             double sum = 0;
                             for (int64_t n = 0; n < tensor.images(); ++n)
                               sum += sum_span(tensor.image(n) + k * pixels, pixels);
                             sums[k] += float(sum);
                           }
                         });
}

}  // namespace ristretto
