// Trims and range analysis against the machine's copy and read bandwidth.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/format/trim_format.h"

namespace ristretto::bench {

struct SpanProblem {
  bool range = false;  // extremes and, with a format, saturated values; else a trim
  TrimFormat format;
  int64_t count = 0;
};

struct SpanTiming {
  double seconds = 0;  // of one pass, the least of all rounds
  double bytes = 0;    // of the source
  // Bytes of source a second of a plain copy (trims) or read (range) on as many threads, in the same rounds.
  double peak = 0;
};

// Throws Error where the result is not the definition's. Pages of source and result are in memory beforehand.
SpanTiming bench_span(Context& context, const SpanProblem& problem, double seconds);

}  // namespace ristretto::bench
