// The primitives of lanes.h on a device.
#pragma once

#include <cuda_runtime.h>

#define RISTRETTO_KERNEL(threads, blocks) static __global__ void __launch_bounds__(threads, blocks)
#define RISTRETTO_DEVICE __device__ __forceinline__

namespace ristretto::cuda {

RISTRETTO_DEVICE int thread_index() { return int(threadIdx.x); }
RISTRETTO_DEVICE int lane_index() { return int(threadIdx.x & 31); }
RISTRETTO_DEVICE int warp_index() { return int(threadIdx.x >> 5); }
RISTRETTO_DEVICE int block_threads() { return int(blockDim.x); }
RISTRETTO_DEVICE int block_index(int axis = 0) {
  return int(axis == 0 ? blockIdx.x : axis == 1 ? blockIdx.y : blockIdx.z);
}
RISTRETTO_DEVICE int blocks(int axis = 0) {
  return int(axis == 0 ? gridDim.x : axis == 1 ? gridDim.y : gridDim.z);
}

template <class T>
RISTRETTO_DEVICE T* shared_memory(int offset = 0) {
  extern __shared__ __align__(1024) unsigned char ristretto_shared[];
  return reinterpret_cast<T*>(ristretto_shared + offset);
}
RISTRETTO_DEVICE uint32_t shared_address(const void* shared) {
  return uint32_t(__cvta_generic_to_shared(shared));
}

RISTRETTO_DEVICE void block_barrier() { __syncthreads(); }
RISTRETTO_DEVICE void warp_barrier() { __syncwarp(); }

template <class T>
RISTRETTO_DEVICE T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(0xFFFFFFFFu, value, mask);
}
template <class T>
RISTRETTO_DEVICE T shuffle_down(T value, int lanes) {
  return __shfl_down_sync(0xFFFFFFFFu, value, lanes);
}
template <class T>
RISTRETTO_DEVICE T shuffle(T value, int lane) {
  return __shfl_sync(0xFFFFFFFFu, value, lane);
}
RISTRETTO_DEVICE bool warp_any(bool condition) { return __any_sync(0xFFFFFFFFu, condition) != 0; }

RISTRETTO_DEVICE void copy_async16(void* shared, const void* global, bool inside) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(shared)), "l"(global),
               "r"(inside ? 16 : 0)
               : "memory");
#else
  Vector16 value = {};
  if (inside) value = *static_cast<const Vector16*>(global);
  *static_cast<Vector16*>(shared) = value;
#endif
}
RISTRETTO_DEVICE void copy_async_commit() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
}
template <int kGroups>
RISTRETTO_DEVICE void copy_async_wait() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kGroups) : "memory");
#endif
}

RISTRETTO_DEVICE Vector16 load_once(const void* global) {
  Vector16 v;
  asm volatile("ld.global.cs.v4.u32 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(v.word[0]), "=r"(v.word[1]), "=r"(v.word[2]), "=r"(v.word[3])
               : "l"(global)
               : "memory");
  return v;
}
RISTRETTO_DEVICE void store_once(void* global, const Vector16& v) {
  asm volatile("st.global.cs.v4.u32 [%0], {%1, %2, %3, %4};\n" ::"l"(global), "r"(v.word[0]), "r"(v.word[1]),
               "r"(v.word[2]), "r"(v.word[3])
               : "memory");
}
RISTRETTO_DEVICE void atomic_add(int32_t* global, int32_t value) { atomicAdd(global, value); }
RISTRETTO_DEVICE void atomic_add(uint64_t* global, uint64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(global), static_cast<unsigned long long>(value));
}
RISTRETTO_DEVICE void atomic_first(int32_t* global, int32_t value) { atomicCAS(global, 0, value); }

// Of the signed bytes, or halves, of two words the larger ones.
RISTRETTO_DEVICE uint32_t larger_bytes(uint32_t a, uint32_t b) { return __vmaxs4(a, b); }
RISTRETTO_DEVICE uint32_t larger_halves(uint32_t a, uint32_t b) { return __vmaxs2(a, b); }

RISTRETTO_DEVICE void load_matrix4(uint32_t (&fragments)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
               : "r"(shared_address(row))
               : "memory");
}

RISTRETTO_DEVICE void mma_s8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  // Turing's shape is a quarter of it, with the same fragments.
  for (int half = 0; half < 2; ++half)
    for (int k = 0; k < 2; ++k)
      asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};\n"
                   : "+r"(d[2 * half]), "+r"(d[2 * half + 1])
                   : "r"(a[half + 2 * k]), "r"(b[k]));
#endif
}

RISTRETTO_DEVICE uint32_t round_tf32(float x) {
  uint32_t bits = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(bits) : "f"(x));
#else
  __trap();  // the launcher never chooses it here
#endif
  return bits;
}
RISTRETTO_DEVICE uint32_t pack_bf16(float low, float high) {
  uint32_t bits = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(bits) : "f"(high), "f"(low));
#else
  __trap();
#endif
  return bits;
}

// a and b are float32 of which the product takes the sign, the exponent and ten bits of mantissa.
RISTRETTO_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();  // the launcher never chooses it here
#endif
}
RISTRETTO_DEVICE void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

}  // namespace ristretto::cuda
