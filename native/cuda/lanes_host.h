// The primitives of lanes.h in the host executor.
#pragma once

#include <cstring>

#include "core/format/float_bits.h"
#include "executor.h"

#define RISTRETTO_KERNEL(threads, blocks) static void
#define RISTRETTO_DEVICE inline

namespace ristretto::cuda {

inline int thread_index() { return executor::thread_index(); }
inline int lane_index() { return executor::thread_index() % kWarp; }
inline int warp_index() { return executor::thread_index() / kWarp; }
inline int block_threads() { return executor::block_threads(); }
inline int block_index(int axis = 0) { return executor::block_index(axis); }
inline int blocks(int axis = 0) { return executor::blocks(axis); }

template <class T>
T* shared_memory(int offset = 0) {
  return static_cast<T*>(executor::shared_memory(size_t(offset)));
}

inline void block_barrier() { executor::block_barrier(); }
inline void warp_barrier() {
  const char nothing = 0;
  executor::exchange("warp_barrier", &nothing, 1);
}

namespace executor {
template <class T>
T from_lane(const unsigned char* values, int lane) {
  T value;
  std::memcpy(&value, values + size_t(lane) * kMostExchanged, sizeof(T));
  return value;
}
}  // namespace executor

template <class T>
T shuffle_xor(T value, int mask) {
  const auto* values = executor::exchange("shuffle_xor", &value, sizeof value);
  return executor::from_lane<T>(values, lane_index() ^ mask);
}
template <class T>
T shuffle_down(T value, int lanes) {
  const auto* values = executor::exchange("shuffle_down", &value, sizeof value);
  const int lane = lane_index() + lanes;
  return executor::from_lane<T>(values, lane < kWarp ? lane : lane_index());
}
template <class T>
T shuffle(T value, int lane) {
  const auto* values = executor::exchange("shuffle", &value, sizeof value);
  return executor::from_lane<T>(values, lane % kWarp);
}
inline bool warp_any(bool condition) {
  const auto* values = executor::exchange("warp_any", &condition, sizeof condition);
  bool any = false;
  for (int lane = 0; lane < kWarp; ++lane) any = any || executor::from_lane<bool>(values, lane);
  return any;
}

inline void copy_async16(void* shared, const void* global, bool inside) {
  executor::copy_async16(shared, global, inside);
}
inline void copy_async_commit() { executor::copy_async_commit(); }
template <int kGroups>
void copy_async_wait() {
  executor::copy_async_wait(kGroups);
}

inline Vector16 load_once(const void* global) { return *static_cast<const Vector16*>(global); }
inline void store_once(void* global, const Vector16& v) { *static_cast<Vector16*>(global) = v; }
inline void atomic_add(int32_t* global, int32_t value) { *global += value; }
inline void atomic_add(uint64_t* global, uint64_t value) { *global += value; }
inline void atomic_first(int32_t* global, int32_t value) {
  if (*global == 0) *global = value;
}

inline uint32_t larger_bytes(uint32_t a, uint32_t b) {
  uint32_t larger = 0;
  for (int i = 0; i < 32; i += 8) larger |= (int8_t(a >> i) > int8_t(b >> i) ? a : b) & (uint32_t{0xFF} << i);
  return larger;
}
inline uint32_t larger_halves(uint32_t a, uint32_t b) {
  uint32_t larger = 0;
  for (int i = 0; i < 32; i += 16)
    larger |= (int16_t(a >> i) > int16_t(b >> i) ? a : b) & (uint32_t{0xFFFF} << i);
  return larger;
}

inline void load_matrix4(uint32_t (&fragments)[4], const void* row) {
  const auto* rows = executor::exchange("load_matrix4", &row, sizeof row);
  for (int matrix = 0; matrix < 4; ++matrix) {
    const auto* from = static_cast<const unsigned char*>(
        executor::from_lane<const void*>(rows, 8 * matrix + lane_index() / 4));
    std::memcpy(&fragments[matrix], from + 4 * (lane_index() % 4), 4);
  }
}

namespace executor {

struct MatrixOperands {
  uint32_t a[4], b[2];
};

// d += a * b, a of 16 rows and 2 * 4 * kPerWord columns: kPerWord elements in a fragment's word.
// element(word, i) is the i-th of them.
template <int kPerWord, class Sum, class Element>
void multiply_fragments(const char* name, Sum (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                        const Element& element) {
  MatrixOperands mine;
  std::memcpy(mine.a, a, sizeof mine.a);
  std::memcpy(mine.b, b, sizeof mine.b);
  const auto* values = exchange(name, &mine, sizeof mine);
  MatrixOperands all[kWarp];
  for (int lane = 0; lane < kWarp; ++lane) all[lane] = from_lane<MatrixOperands>(values, lane);
  for (int i = 0; i < 4; ++i) {
    const int row = lane_index() / 4, column = lane_index() % 4 * 2 + i % 2;
    Sum sum = d[i];
    for (int half = 0; half < 2; ++half)
      for (int t = 0; t < 4; ++t)
        for (int e = 0; e < kPerWord; ++e)
          sum += element(all[row * 4 + t].a[i / 2 + 2 * half], e) * element(all[column * 4 + t].b[half], e);
    d[i] = sum;
  }
}

}  // namespace executor

inline void mma_s8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  executor::multiply_fragments<4>("mma_s8", d, a, b,
                                  [](uint32_t word, int i) { return int32_t(int8_t(word >> (8 * i))); });
}
inline uint32_t round_tf32(float x) {
  const uint32_t bits = bits_of(x);
  if ((bits & FloatBits::kMagnitude) >= FloatBits::kInfinity) return bits;
  return (bits + 0x1000u) & 0xFFFFE000u;
}
inline uint32_t pack_bf16(float low, float high) {
  const auto half = [](float x) {
    const uint32_t bits = bits_of(x);
    if (is_nan_bits(bits)) return 0x7FFFu;
    return (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16;
  };
  return half(low) | half(high) << 16;
}
inline void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  executor::multiply_fragments<1>("mma_tf32", d, a, b,
                                  [](uint32_t word, int) { return float_of(word & 0xFFFFE000u); });
}
inline void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  executor::multiply_fragments<2>("mma_bf16", d, a, b,
                                  [](uint32_t word, int i) { return float_of(word >> (16 * i) << 16); });
}

}  // namespace ristretto::cuda
