#include <limits>

#include "../../cpu/span_kernels.h"

namespace ristretto {
namespace {

SpanExtremes extremes_ref(const float* in, int64_t count) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  SpanExtremes result = {infinity, -infinity, true};
  for (int64_t i = 0; i < count; ++i) {
    result.numbers &= in[i] == in[i];
    if (in[i] < result.least) result.least = in[i];
    if (in[i] > result.greatest) result.greatest = in[i];
  }
  return result;
}

SpanExtremes extremes_outside_ref(const float* in, int64_t count, float low, float high, int64_t* outside) {
  for (int64_t i = 0; i < count; ++i) *outside += in[i] < low || in[i] > high;
  return extremes_ref(in, count);
}

}  // namespace

const SpanKernels kSpanKernelsRef = {"_ref", nullptr, extremes_ref, extremes_outside_ref};

}  // namespace ristretto
