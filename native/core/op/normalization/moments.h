// Mean and variance of a set of floats, summed in double.
#pragma once

#include <cstdint>

namespace ristretto {

struct Moments {
  double mean = 0;
  double variance = 0;  // mean squared distance from the mean
};

// Of `runs` runs of `length` floats, run i at run(i). Two passes: the squares of the distances do not cancel.
template <class Run>
Moments moments_of(int64_t runs, int64_t length, const Run& run) {
  Moments result;
  const double count = double(runs) * double(length);
  for (int64_t i = 0; i < runs; ++i) {
    const float* x = run(i);
    for (int64_t j = 0; j < length; ++j) result.mean += x[j];
  }
  result.mean /= count;
  for (int64_t i = 0; i < runs; ++i) {
    const float* x = run(i);
    for (int64_t j = 0; j < length; ++j) result.variance += (x[j] - result.mean) * (x[j] - result.mean);
  }
  result.variance /= count;
  return result;
}

}  // namespace ristretto
