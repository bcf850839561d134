// The device that is measured, the processor that says what is right, and memory that both see.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/context.h"
#include "cuda/context.h"

namespace ristretto::bench {

// How long and how large: a benchmark's sizes, or a test's.
struct Effort {
  bool smoke = false;
  int rounds = 7;
  double round_seconds = 1e-3;
};

struct Machine {
  Machine(int device, const Effort& effort);

  cuda::Context device;
  Context cpu;
  const Effort effort;
};

// Shared by host and device, zero.
class Memory {
 public:
  Memory(Machine& machine, int64_t bytes)
      : pool_(*machine.device.memory()), bytes_(bytes), data_(pool_.allocate(size_t(bytes))) {}
  ~Memory() { pool_.free(data_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  char* bytes() const { return static_cast<char*>(data_); }
  template <class T>
  T* of() const {
    return static_cast<T*>(data_);
  }
  int64_t size() const { return bytes_; }

 private:
  cuda::ManagedPool& pool_;
  int64_t bytes_;
  void* data_;
};

// Times passes in turns, so that whatever the machine does besides hits all alike: the median over the rounds
// of each one's seconds a pass. Each pass starts device work and does not wait for it.
std::vector<double> seconds_in_turns(Machine& machine, const std::vector<std::function<void()>>& passes);

}  // namespace ristretto::bench
