// The rates that everything else is measured against.
#pragma once

#include <functional>

#include "machine.h"

namespace ristretto::bench {

// Bytes and operations a second.
struct Rates {
  double copy = 0;         // of memory: bytes read and written
  double read = 0;         // of memory
  double cached_read = 0;  // of what is in the second-level cache
  double multiply = 0;     // int8 mma.sync: 2 operations a multiply-accumulate
  double launch = 0;       // seconds from one kernel to the next
};

// Passes that measure the rates, each checked once.
class RateMeter {
 public:
  explicit RateMeter(Machine& machine);

  Rates measure();
  // For turns with something else: seconds of one to the rate.
  std::function<void()> copy_pass() const;
  std::function<void()> read_pass() const;
  std::function<void()> multiply_pass() const;
  double copy_rate(double seconds) const { return 2.0 * double(src_.size()) / seconds; }
  double read_rate(double seconds) const { return double(src_.size()) / seconds; }
  double multiply_rate(double seconds) const;
  // Whether passes over so many bytes find them in the cache.
  bool cached(double bytes) const { return bytes <= 0.5 * double(machine_.device.device().l2_bytes); }

 private:
  void check_copy();
  void check_read();
  void check_multiply();
  int64_t cached_bytes() const;

  Machine& machine_;
  const int rounds_;
  Memory src_, dst_, result_;
};

}  // namespace ristretto::bench
