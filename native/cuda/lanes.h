// What a kernel does that a CPU thread has no word for: indices, shared memory, barriers, shuffles,
// asynchronous copies, matrix products of a warp. Kernels take all of it from here, so that one source is
// compiled by nvcc for a device (lanes_device.h) and by the host's compiler for the executor (lanes_host.h,
// executor.h), which runs it in the ordinary tests of machines that have no GPU.
//
//   RISTRETTO_KERNEL(threads, blocks)   a kernel of at most `threads` threads a block, of which `blocks` fit
//                                       a multiprocessor at once
//   RISTRETTO_DEVICE                    a function that kernels call
//
// Indices: thread_index(), lane_index(), warp_index(), block_threads(), block_index(axis), blocks(axis).
// Shared memory: shared_memory<T>(byte offset), the block's, as many bytes as its launch said, 1024-byte
//   aligned.
// Barriers: block_barrier(), every thread of the block; warp_barrier(), the 32 lanes of a warp.
// Shuffles: shuffle_xor, shuffle_down, shuffle (from one lane), any type of 4 or 8 bytes;
//   warp_any(condition).
// Asynchronous copies: copy_async16(shared, global, inside), 16 bytes, zeros where not inside;
//   copy_async_commit() closes a group; copy_async_wait<N>() until at most N groups of this thread are under
//   way. What other threads copied is there behind a barrier that follows their wait.
// Global memory: load_once / store_once, 16 bytes that nobody reads again soon; atomic_add (int32, uint64);
//   atomic_first: the value, where 0 stands.
// Parts of a word: larger_bytes, larger_halves, the larger ones of two words' signed bytes or halves.
// Matrix products: load_matrix4, four 8x16-byte matrices of shared memory as fragments, row l % 8 of matrix
//   l / 8 at lane l's address; mma_s8: d (16x8, int32) += a (16x32, int8, row-major) * b (32x8, int8,
//   column-major); mma_tf32: d (16x8, float32) += a (16x8) * b (8x8); mma_bf16: a (16x16), b (16x8).
// Their operands: round_tf32, to the nearest, ties away from 0, as a float32's bits; pack_bf16, two to the
//   nearest, ties to even, the first in the low half.
//
// Fragments are those of PTX's mma.sync: lane l has rows l / 4 and l / 4 + 8 of a and d, columns 2 * (l % 4)
// and one more of d, four consecutive bytes from 4 * (l % 4) on of each half of k.
#pragma once

#include <cstdint>

namespace ristretto::cuda {

constexpr int kWarp = 32;

// 16 bytes, the widest access of a thread.
struct alignas(16) Vector16 {
  uint32_t word[4];
};

}  // namespace ristretto::cuda

#if defined(__CUDACC__)
#include "lanes_device.h"
#else
#include "lanes_host.h"
#endif
