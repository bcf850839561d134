// Sums, mean and variance of many floats by one block, in double.
#pragma once

#include <algorithm>

#include "context.h"
#include "core/op/normalization/moments.h"
#include "executor.h"
#include "fold.h"

namespace ristretto::cuda {

// The sum of term(i) for i below count; every thread gets it.
template <class Term>
RISTRETTO_DEVICE double block_sum(int64_t count, double* slots, const Term& term) {
  double sum = 0;
#pragma unroll 4
  for (int64_t i = thread_index(); i < count; i += block_threads()) sum += term(i);
  return block_fold(sum, 0.0, slots, Sum());
}

// Of value(i); two passes, as moments_of.
template <class Value>
RISTRETTO_DEVICE Moments block_moments(int64_t count, double* slots, const Value& value) {
  Moments result;
  result.mean = block_sum(count, slots, [&](int64_t i) { return double(value(i)); }) / double(count);
  result.variance = block_sum(count, slots,
                              [&](int64_t i) {
                                const double distance = value(i) - result.mean;
                                return distance * distance;
                              }) /
                    double(count);
  return result;
}

// A block a row; where there are many, each takes several.
inline Grid rows_grid(const Context& context, int64_t rows) {
  return {int(std::min(rows, int64_t{16} * context.device().multiprocessors)), 1, 1};
}

}  // namespace ristretto::cuda
