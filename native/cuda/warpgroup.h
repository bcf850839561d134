// What blocks of Hopper's (compute capability 9.0) do beyond lanes.h: copies that an engine of the
// multiprocessor carries out, barriers that count the bytes of such copies, and matrix products that four
// warps read from shared memory. One source for device (warpgroup_device.h) and executor (warpgroup_host.h),
// as there.
//
// Barriers in shared memory, eight bytes each. A phase ends when as many threads have arrived as the barrier
// was made for, and all bytes that were expected in it have come; the next one begins at once.
//   barrier_init(barrier, arrivals)       then publish_barriers() by the same thread, then a block_barrier()
//   barrier_arrive(barrier)
//   barrier_expect(barrier, bytes)        arrives, and bytes are to come in this phase
//   barrier_wait(barrier, parity)         until the phase of that parity has ended; the first one's is 0
//   group_barrier(id, threads)            as block_barrier, of the threads that call it with this id (1 to
//                                         15): whole warps
//
// Copies to shared memory. One thread asks; the bytes are counted by the barrier.
//   copy_bulk(shared, global, bytes, barrier)        a piece of memory; all multiples of 16
//   copy_windows(shared, map, barrier, c, w, h, n, dw, dh)
//        of the map's (tensor_map.h) windows in a row from the one whose first element is (w, h) of image n
//        on, as many as the map says: the element dw, dh behind each window's first, channels from c on. What
//        lies outside of the image, or behind the last, is 0. `shared` is a multiple of 128 bytes (swizzled:
//        of 512).
//
// Matrix products. The warps of a group (four, from a multiple of four on) act together.
//   SharedMatrix      rows of bytes in shared memory, depth along a row:
//     swizzled_matrix(p)                  rows of 64 bytes, vectors where fixed_place says; p: a multiple of
//                                         512, or 32 bytes behind one
//     chunked_matrix(p, chunk_bytes)      vectors of 16 bytes of a row chunk_bytes apart, those of all rows
//                                         side by side
//   warpgroup_begin()                     before the first product after sums, or shared memory by stores,
//                                         were written
//   multiply_warpgroup(sums, a, b, add)   sums (64 x kColumns, int32) = a (64 x 32 bytes) * b (kColumns x 32
//                                         bytes)^T, added to what they are where `add`; both operands signed
//   warpgroup_commit()                    closes a group of products
//   warpgroup_wait<N>(sums)               until at most N groups of this thread are under way: operands may
//                                         be overwritten, sums read where N is 0
//
// Thread t of the four warps has rows t / 32 * 16 + t % 32 / 4 and 8 more, and in sums[j] columns
// 8 j + 2 (t % 4) and one more: the fragments of mma_s8.
#pragma once

#include "lanes.h"

#if defined(__CUDACC__)
#include "warpgroup_device.h"
#else
#include "warpgroup_host.h"
#endif
