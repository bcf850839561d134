// What a device can do at best: passes over memory and a loop of matrix products that stays in registers. The
// denominators of every share that the device's benchmark prints. All asynchronous.
#pragma once

#include <cstdint>

#include "cuda/context.h"

namespace ristretto::cuda {

// Words of `result` that read_memory and multiply write on this device, at most.
int64_t rate_words(const Context& context);

// dst = src; `bytes` is a multiple of 16, and so are the addresses.
void copy_memory(Context& context, const void* src, void* dst, int64_t bytes);

// Looks at every word `passes` times, each time from another multiprocessor. The exclusive or of the result's
// words is that of all words read.
void read_memory(Context& context, const void* src, int64_t bytes, int passes, uint32_t* result);

// Chains of mma_s8, `rounds` steps long. The result's words are proportional to the number of rounds.
void multiply(Context& context, int rounds, uint32_t* result);
// Of one call: 2 a multiply-accumulate.
double multiply_operations(const Context& context, int rounds);

// A kernel that does nothing.
void launch_nothing(Context& context);

}  // namespace ristretto::cuda
