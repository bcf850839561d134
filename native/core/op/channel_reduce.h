// Sums over everything that shares a channel, as the gradient of a number that is broadcast needs them: in
// double, in an order that depends on the shapes alone.
#pragma once

#include <algorithm>

#include "channel_map.h"

namespace ristretto {

// a and b of one shape; slices of larger tensors where each image is whole passes through all channels.
inline void check_channel_reduce(const Tensor& a, const char* a_name, const Tensor& b, const char* b_name,
                                 const ChannelRows& rows) {
  require_float(a, a_name);
  require_float(b, b_name);
  require_same_shape(b, b_name, a, a_name);
  const int64_t pass = rows.channels * rows.inner;
  require((a.contiguous() && b.contiguous()) || (pass > 0 && a.image_count() % pass == 0), a_name, " ",
          a.shape_text(), " is a slice of a larger tensor");
}

// Sum of term(a[i], b[i]), in eight lanes that are added up at the end.
template <class Term>
double sum_terms(const float* a, const float* b, int64_t count, const Term& term) {
  constexpr int64_t kLanes = 8;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += term(a[i + l], b[i + l]);
  for (int64_t l = 0; i < count; ++i, ++l) lanes[l] += term(a[i], b[i]);
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

// For each channel the sum of term(a, b), a double, over its elements. The result lies in the context's
// shared scratch memory.
template <class Term>
const double* reduce_channels(Context& context, const Tensor& a, const Tensor& b, const ChannelRows& rows,
                              const Term& term) {
  const int64_t channels = rows.channels, inner = rows.inner, pass = channels * inner, total = a.count();
  if (total == 0) {
    auto* sums = static_cast<double*>(context.shared_scratch(sizeof(double) * (channels + 1)));
    std::fill(sums, sums + channels, 0.0);
    return sums;
  }
  const int64_t image = a.contiguous() && b.contiguous() ? total : a.image_count();
  const int64_t outer = total / pass;
  constexpr int64_t kBlock = 1 << 14, kLeastInner = 16;
  const auto scratch = [&](int64_t partials) {
    return static_cast<double*>(context.shared_scratch(sizeof(double) * (channels + partials)));
  };
  if (inner < kLeastInner) {
    // Short runs: every column of the (outer, channels * inner) matrix by itself, a block of rows at a time.
    constexpr int64_t kColumns = 512;
    const int64_t block = std::max<int64_t>(64, kBlock / pass), blocks = (outer + block - 1) / block;
    const int64_t groups = (pass + kColumns - 1) / kColumns;
    double *sums = scratch(blocks * pass), *partial = sums + channels;
    context.pool.run(blocks * groups, [&](int64_t task, int) {
      const int64_t first = task % groups * kColumns, width = std::min(kColumns, pass - first);
      const int64_t begin = task / groups * block, end = std::min(outer, begin + block);
      double* columns = partial + task / groups * pass + first;
      std::fill(columns, columns + width, 0.0);
      for (int64_t row = begin; row < end; ++row) {
        const int64_t n = row * pass / image, offset = row * pass % image + first;
        const float *x = a.image(n) + offset, *y = b.image(n) + offset;
        for (int64_t c = 0; c < width; ++c) columns[c] += term(x[c], y[c]);
      }
    });
    for (int64_t c = 0; c < channels; ++c) {
      sums[c] = 0;
      for (int64_t k = 0; k < blocks; ++k)
        for (int64_t i = 0; i < inner; ++i) sums[c] += partial[k * pass + c * inner + i];
    }
    return sums;
  }
  // Long runs: the elements of a channel, in the order in which they lie, are cut into blocks.
  const int64_t length = outer * inner, blocks = (length + kBlock - 1) / kBlock;
  double *sums = scratch(channels * blocks), *partial = sums + channels;
  context.pool.for_range(channels * blocks, std::max<int64_t>(1, kBlock / length),
                         [&](int64_t first, int64_t last, int) {
                           for (int64_t task = first; task < last; ++task) {
                             int64_t at = task % blocks * kBlock;
                             const int64_t end = std::min(length, at + kBlock);
                             double sum = 0;
                             while (at < end) {
                               const int64_t count = std::min(end - at, inner - at % inner);
                               const int64_t element = at / inner * pass + task / blocks * inner + at % inner;
                               const int64_t n = element / image, offset = element % image;
                               sum += sum_terms(a.image(n) + offset, b.image(n) + offset, count, term);
                               at += count;
                             }
                             partial[task] = sum;
                           }
                         });
  for (int64_t c = 0; c < channels; ++c) {
    sums[c] = 0;
    for (int64_t k = 0; k < blocks; ++k) sums[c] += partial[c * blocks + k];
  }
  return sums;
}

}  // namespace ristretto
