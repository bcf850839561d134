// Seconds that passed.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>

namespace ristretto::bench {

inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The least time of all rounds: whatever else a machine does only adds to it.
struct Best {
  double seconds = std::numeric_limits<double>::infinity();
  void add(double round) { seconds = std::min(seconds, round); }
};

}  // namespace ristretto::bench
