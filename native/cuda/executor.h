// Runs a kernel's own source on the host, one block after the other, its threads as fibers that take turns at
// barriers and at what a warp does together. A test instrument.
//
// It shows: wrong indices, wrong arithmetic, wrong fragments, reads beyond memory (under AddressSanitizer), a
// barrier or a warp's operation that not all threads reach (an error, not a hang), a missing wait for an
// asynchronous copy or product (they happen at the wait, bulk copies at any time before), most missing
// barriers (the order in which threads run between two barriers is another one each time: `seed`). It cannot
// show: what the memory model allows beyond that, races between blocks, misaligned 16-byte accesses that the
// host tolerates, bank conflicts, speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ristretto::cuda {

struct Grid {
  int x = 1, y = 1, z = 1;
};

namespace executor {

// What the lanes of a warp hand to each other: every lane's value, at most this many bytes.
constexpr size_t kMostExchanged = 64;

// Runs body once a thread. Throws Error naming the block when threads diverge at a barrier, or what body
// threw.
void run(const Grid& grid, int threads, size_t shared_bytes, const std::function<void()>& body,
         uint32_t seed = 1);

// For lanes_host.h, within body.
int thread_index();
int block_threads();
int block_index(int axis);
int blocks(int axis);
void* shared_memory(size_t offset);
void block_barrier();
// Every lane gives `bytes` bytes of `value`; returns those of all lanes, kMostExchanged apart, valid until
// the warp's next exchange. `operation` names what the warp does: all lanes must do the same.
const unsigned char* exchange(const char* operation, const void* value, size_t bytes);
void copy_async16(void* shared, const void* global, bool inside);
void copy_async_commit();
void copy_async_wait(int groups);

// For warpgroup_host.h. Barriers live in eight bytes of shared memory.
void barrier_init(uint64_t* barrier, int arrivals);
void barrier_arrive(uint64_t* barrier, int bytes);
void barrier_wait(uint64_t* barrier, int parity);
void group_barrier(int id, int threads);
// `work` writes `bytes` bytes at `shared`, at some time before the phase of `barrier` that counts them ends.
void copy_bulk(void* shared, size_t bytes, uint64_t* barrier, std::function<void()> work);
// What the calling thread does at the wait for its product.
void start_product(std::function<void()> work);
void products_commit();
void products_wait(int groups);
size_t shared_offset(const void* shared);
void require_alignment(const void* shared, size_t bytes);

}  // namespace executor
}  // namespace ristretto::cuda
