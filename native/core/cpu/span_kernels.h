// Passes over contiguous floats for one instruction set: trims and range analysis. Compiled from
// trim_kernels.inl and range_kernels.inl, once per set.
#pragma once

#include <cstdint>

#include "../format/trim_format.h"
#include "features.h"

namespace ristretto {

// Least and greatest of the numbers among the elements (+inf and -inf where there are none), and whether a
// NaN was met.
struct SpanExtremes {
  float least, greatest;
  bool numbers;  // no NaN
};

struct SpanKernels {
  const char* name;
  // As trim_span, but for formats other than none and for power-of-two ones other than stochastic.
  bool (*trim)(const float* in, float* out, int64_t count, const TrimFormat& format,
               const RandomStream& random);
  SpanExtremes (*extremes)(const float* in, int64_t count);
  // The same; the elements below `low` or above `high`, fewer than 2^32, are added to *outside.
  SpanExtremes (*extremes_outside)(const float* in, int64_t count, float low, float high, int64_t* outside);
};

// Range analysis by its definition; its trim is null.
extern const SpanKernels kSpanKernelsRef;
extern const SpanKernels kPortableSpanKernels;
#if defined(__x86_64__)
extern const SpanKernels kAvx2SpanKernels, kAvx512SpanKernels;
#endif

// The fastest that these instruction sets allow.
inline const SpanKernels& span_kernels([[maybe_unused]] const CpuFeatures& features) {
#if defined(__x86_64__)
  if (features.avx512) return kAvx512SpanKernels;
  if (features.avx2) return kAvx2SpanKernels;
#endif
  return kPortableSpanKernels;
}

}  // namespace ristretto
