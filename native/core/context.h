// What a kernel may use while it runs: threads, instruction sets, scratch memory. One per stream, no globals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aligned_buffer.h"
#include "cpu/features.h"
#include "thread_pool.h"

namespace ristretto {

class Context {
 public:
  Context(int threads, const CpuFeatures& features)
      : pool(threads), features(features), scratch_(pool.threads()) {}

  ThreadPool pool;
  const CpuFeatures features;

  // Scratch memory of one worker, 64-byte aligned, at least `bytes` long; kept between calls, contents
  // undefined. Valid until the same worker asks again.
  void* scratch(int worker, size_t bytes) {
    AlignedBuffer& buffer = scratch_[worker];
    if (buffer.size() < bytes) buffer = AlignedBuffer(bytes);
    return buffer.data();
  }
  // Scratch shared by all workers of one op, requested by the calling thread before it starts them. Slot 0 is
  // the op's own; slot 1 belongs to gemm, so that an op may hand it what lies in slot 0; slot 2 to gradients,
  // which hand it to ops of the forward pass.
  void* shared_scratch(size_t bytes, int slot = 0) {
    if (shared_[slot].size() < bytes) shared_[slot] = AlignedBuffer(bytes);
    return shared_[slot].data();
  }

 private:
  std::vector<AlignedBuffer> scratch_;
  AlignedBuffer shared_[3];
};

}  // namespace ristretto
