// Trims and range analysis on the device, against its copy and read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rates.h"

namespace ristretto::bench {

struct SpanRow {
  std::string op, format;
  int64_t count = 0;
  bool on_device = false;
  double seconds = 0;
  double bytes = 0;  // read and written
  double peak = 0;   // bytes a second of the copy or the read, in the same rounds
};

// Throws Error where a result is not the CPU's. `op` is trim or range.
std::vector<SpanRow> bench_spans(Machine& machine, RateMeter& meter, const Rates& rates,
                                 const std::string& op);

}  // namespace ristretto::bench
