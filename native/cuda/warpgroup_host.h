// The primitives of warpgroup.h in the host executor. Copies are carried out at some time before the
// barrier's phase ends, products at the wait for them: what reads too early, or overwrites too early, is met
// by tests.
#pragma once

#include "lanes.h"
#include "tensor_map.h"

#define RISTRETTO_KEPT_PARAMETER

namespace ristretto::cuda {

constexpr bool kHasWarpgroups = true;

inline void barrier_init(uint64_t* barrier, int arrivals) { executor::barrier_init(barrier, arrivals); }
inline void publish_barriers() {}
inline void barrier_arrive(uint64_t* barrier) { executor::barrier_arrive(barrier, 0); }
inline void barrier_expect(uint64_t* barrier, int bytes) { executor::barrier_arrive(barrier, bytes); }
inline void barrier_wait(uint64_t* barrier, int parity) { executor::barrier_wait(barrier, parity); }
inline void group_barrier(int id, int threads) { executor::group_barrier(id, threads); }

inline void copy_bulk(void* shared, const void* global, int bytes, uint64_t* barrier) {
  executor::copy_bulk(shared, size_t(bytes), barrier, [=] { std::memcpy(shared, global, size_t(bytes)); });
}

namespace executor {

// 16 bytes of every window, in the order in which the engine goes through them.
inline void gather_windows(unsigned char* to, const WindowedCodes& map, int c, int w, int h, int64_t n,
                           int dw, int dh) {
  const int last_w = int(map.width) - 1 + map.pad_w - (map.extent_w - 1);
  const int last_h = int(map.height) - 1 + map.pad_h - (map.extent_h - 1);
  const size_t start = shared_offset(to);
  for (int i = 0; i < map.box_windows; ++i) {
    const int x = w + dw, y = h + dh;
    const bool inside = n < map.images && x >= 0 && x < map.width && y >= 0 && y < map.height;
    const auto* from = static_cast<const unsigned char*>(map.data);
    for (int b = 0; b < map.box_channels; ++b) {
      size_t at = start + size_t(i) * size_t(map.box_channels) + size_t(b);
      if (map.swizzled) at ^= (at >> 7 & 3) << 4;
      to[at - start] = inside && c + b < map.channels
                           ? from[n * map.image_bytes + y * map.row_bytes + x * map.pixel_bytes + c + b]
                           : 0;
    }
    if ((w += map.stride_w) <= last_w) continue;
    w = -map.pad_w;
    if ((h += map.stride_h) <= last_h) continue;
    h = -map.pad_h;
    ++n;
  }
}

}  // namespace executor

inline void copy_windows(void* shared, const TensorMap* map, uint64_t* barrier, int c, int w, int h, int n,
                         int dw, int dh) {
  const WindowedCodes& codes = map->codes;
  executor::require_alignment(shared, codes.swizzled ? 512 : 128);
  executor::copy_bulk(
      shared, size_t(codes.box_channels) * size_t(codes.box_windows), barrier, [=, codes = codes] {
        executor::gather_windows(static_cast<unsigned char*>(shared), codes, c, w, h, n, dw, dh);
      });
}

struct SharedMatrix {
  const void* start;
  int chunk_bytes;  // 0: swizzled

  // 16 bytes of a row.
  const int8_t* vector(int row, int chunk) const {
    const auto* from = static_cast<const int8_t*>(start);
    if (chunk_bytes) return from + chunk * chunk_bytes + row * 16;
    const size_t begin = executor::shared_offset(start);
    size_t place = begin + size_t(row) * 64 + size_t(chunk) * 16;
    place ^= (place >> 7 & 3) << 4;
    return from + (ptrdiff_t(place) - ptrdiff_t(begin));
  }
};
inline SharedMatrix swizzled_matrix(const void* shared) {
  executor::require_alignment(shared, 32);
  return {shared, 0};
}
inline SharedMatrix chunked_matrix(const void* shared, int chunk_bytes) {
  executor::require_alignment(shared, 128);
  return {shared, chunk_bytes};
}

inline void warpgroup_begin() { warp_barrier(); }
inline void warpgroup_commit() { executor::products_commit(); }
template <int kGroups, int kFragments>
void warpgroup_wait(int32_t (&)[kFragments][4]) {
  executor::products_wait(kGroups);
}

template <int kFragments>
void multiply_warpgroup(int32_t (&sums)[kFragments][4], SharedMatrix a, SharedMatrix b, bool add) {
  executor::start_product([=, &sums] {
    const int row = warp_index() % 4 * 16 + lane_index() / 4, column = lane_index() % 4 * 2;
    for (int j = 0; j < kFragments; ++j)
      for (int e = 0; e < 4; ++e) {
        int32_t sum = add ? sums[j][e] : 0;
        for (int chunk = 0; chunk < 2; ++chunk) {
          const int8_t* left = a.vector(row + e / 2 * 8, chunk);
          const int8_t* right = b.vector(8 * j + column + e % 2, chunk);
          for (int k = 0; k < 16; ++k) sum += int32_t{left[k]} * right[k];
        }
        sums[j][e] = sum;
      }
  });
}

}  // namespace ristretto::cuda
