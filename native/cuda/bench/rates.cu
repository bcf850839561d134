#include "rates.h"

#include <algorithm>

#include "core/host_device.h"
#include "cuda/launch.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;
// Vectors that a thread has under way at once.
constexpr int kInFlight = 4;
constexpr int64_t kPerBlock = int64_t{kThreads} * kInFlight;
// Blocks a multiprocessor: passes over memory, products. Two blocks are four warps for each of four units.
constexpr int kMemoryBlocks = 8, kMultiplyBlocks = 2;
// Independent products of a warp; each waits for the one before it in its chain.
constexpr int kChains = 8;

RISTRETTO_KERNEL(kThreads, 4)
copy_vectors(const Vector16* src, Vector16* dst, int64_t vectors) {
  const int64_t step = kPerBlock * blocks();
  for (int64_t base = kPerBlock * block_index(); base < vectors; base += step) {
    Vector16 held[kInFlight];
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      const int64_t at = base + i * kThreads + thread_index();
      if (at < vectors) held[i] = load_once(src + at);
    }
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      const int64_t at = base + i * kThreads + thread_index();
      if (at < vectors) store_once(dst + at, held[i]);
    }
  }
}

RISTRETTO_KERNEL(kThreads, 4)
read_vectors(const Vector16* src, int64_t vectors, int passes, uint32_t* result) {
  const int64_t step = kPerBlock * blocks();
  uint32_t seen = 0;
  for (int pass = 0; pass < passes; ++pass)
    // No block reads what it has just read: that would still be in its multiprocessor.
    for (int64_t base = kPerBlock * ((block_index() + pass) % blocks()); base < vectors; base += step) {
      Vector16 held[kInFlight] = {};
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        const int64_t at = base + i * kThreads + thread_index();
        if (at < vectors) held[i] = load_once(src + at);
      }
#pragma unroll
      for (int i = 0; i < kInFlight; ++i)
        seen ^= held[i].word[0] ^ held[i].word[1] ^ held[i].word[2] ^ held[i].word[3];
    }
  result[block_index() * kThreads + thread_index()] = seen;
}

// Bytes of every kind: the power that a product takes depends on its operands.
RISTRETTO_HOST_DEVICE uint32_t some_bytes(uint32_t seed) {
  seed = (seed + 1) * 0x9E3779B9u;
  seed = (seed ^ (seed >> 15)) * 0x85EBCA6Bu;
  return seed ^ (seed >> 13);
}

RISTRETTO_KERNEL(kThreads, kMultiplyBlocks)
multiply_chains(int rounds, uint32_t* result) {
  uint32_t a[4], b[2];
  for (int i = 0; i < 4; ++i) a[i] = some_bytes(uint32_t(lane_index() * 8 + i));
  for (int i = 0; i < 2; ++i) b[i] = some_bytes(uint32_t(lane_index() * 8 + 4 + i));
  int32_t d[kChains][4] = {};
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int chain = 0; chain < kChains; ++chain) mma_s8(d[chain], a, b);
  }
  uint32_t sum = 0;
#pragma unroll
  for (int chain = 0; chain < kChains; ++chain)
    for (int i = 0; i < 4; ++i) sum += uint32_t(d[chain][i]) * uint32_t(i + 1);
  result[block_index() * kThreads + thread_index()] = sum;
}

RISTRETTO_KERNEL(kWarp, 1)
nothing() {}

Grid memory_grid(const Context& context, int64_t vectors) {
  const int64_t wanted = (vectors + kPerBlock - 1) / kPerBlock;
  const int64_t most = int64_t{kMemoryBlocks} * context.device().multiprocessors;
  return {int(std::max<int64_t>(1, std::min(wanted, most))), 1, 1};
}

Grid multiply_grid(const Context& context) {
  return {kMultiplyBlocks * context.device().multiprocessors, 1, 1};
}

}  // namespace

int64_t rate_words(const Context& context) {
  return int64_t{std::max(kMemoryBlocks, kMultiplyBlocks)} * context.device().multiprocessors * kThreads;
}

void copy_memory(Context& context, const void* src, void* dst, int64_t bytes) {
  const int64_t vectors = bytes / int64_t{sizeof(Vector16)};
  launch(context, "copy_vectors", memory_grid(context, vectors), kThreads, 0, copy_vectors,
         static_cast<const Vector16*>(src), static_cast<Vector16*>(dst), vectors);
}

void read_memory(Context& context, const void* src, int64_t bytes, int passes, uint32_t* result) {
  const int64_t vectors = bytes / int64_t{sizeof(Vector16)};
  launch(context, "read_vectors", memory_grid(context, vectors), kThreads, 0, read_vectors,
         static_cast<const Vector16*>(src), vectors, passes, result);
}

void multiply(Context& context, int rounds, uint32_t* result) {
  launch(context, "multiply_chains", multiply_grid(context), kThreads, 0, multiply_chains, rounds, result);
}

double multiply_operations(const Context& context, int rounds) {
  constexpr double kOperations = 2.0 * 16 * 8 * 32;
  return kOperations * kChains * rounds * (kThreads / kWarp) * multiply_grid(context).x;
}

void launch_nothing(Context& context) { launch(context, "nothing", {}, kWarp, 0, nothing); }

}  // namespace ristretto::cuda
