// What a machine can do at best, measured: loops that stay in registers, and passes over memory. The
// denominators of every share that a benchmark prints.
#pragma once

#include <cstdint>

#include "core/context.h"

namespace ristretto::bench {

// A loop of independent chains of one instruction (or of the few that stand for one).
struct RegisterLoop {
  const char* instruction;
  double operations;  // of one call: 2 a multiply-accumulate
  // What it computed, so that it is computed.
  int64_t (*run)();
};

// What the row of ConvolutionFixed of this name is made of, for codes of 8 bits or of 16; null where there is
// no such loop (portable rows) or the processor lacks the instruction.
const RegisterLoop* fixed_loop(const char* row, bool words, const CpuFeatures& features);
// float32 multiply-add of the widest vectors that `features` has.
const RegisterLoop& float_loop(const CpuFeatures& features);

// Both on all threads of the context. copy: dst = src; read: looks at every word of src.
void copy_memory(Context& context, const void* src, void* dst, int64_t bytes);
int64_t read_memory(Context& context, const void* src, int64_t bytes);

// Seconds of one run of the loop on every thread at once.
double seconds_of(Context& context, const RegisterLoop& loop);

}  // namespace ristretto::bench
