// The primitives of warpgroup.h on a device. They exist in code for 9.0a alone; elsewhere kernels are empty
// (kHasWarpgroups), and the launcher never chooses one.
#pragma once

#include "lanes.h"
#include "tensor_map.h"

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define RISTRETTO_WARPGROUP(...) asm volatile(__VA_ARGS__)
#else
#define RISTRETTO_WARPGROUP(...) __trap()
#endif
// A parameter whose address the copies may take.
#define RISTRETTO_KEPT_PARAMETER const __grid_constant__

namespace ristretto::cuda {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
constexpr bool kHasWarpgroups = true;
#else
constexpr bool kHasWarpgroups = false;
#endif

RISTRETTO_DEVICE void barrier_init(uint64_t* barrier, int arrivals) {
  RISTRETTO_WARPGROUP("mbarrier.init.shared::cta.b64 [%0], %1;\n" ::"r"(shared_address(barrier)),
                      "r"(arrivals)
                      : "memory");
}
RISTRETTO_DEVICE void publish_barriers() {
  RISTRETTO_WARPGROUP("fence.mbarrier_init.release.cluster;\n" ::: "memory");
}
RISTRETTO_DEVICE void barrier_arrive(uint64_t* barrier) {
  RISTRETTO_WARPGROUP("mbarrier.arrive.shared::cta.b64 _, [%0];\n" ::"r"(shared_address(barrier)) : "memory");
}
RISTRETTO_DEVICE void barrier_expect(uint64_t* barrier, int bytes) {
  RISTRETTO_WARPGROUP(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\n" ::"r"(shared_address(barrier)), "r"(bytes)
      : "memory");
}
RISTRETTO_DEVICE void barrier_wait(uint64_t* barrier, int parity) {
  RISTRETTO_WARPGROUP(
      "{\n"
      ".reg .pred ended;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 ended, [%0], %1;\n"
      "@!ended bra again;\n"
      "}\n" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}
RISTRETTO_DEVICE void group_barrier(int id, int threads) {
  asm volatile("bar.sync %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}

RISTRETTO_DEVICE void copy_bulk(void* shared, const void* global, int bytes, uint64_t* barrier) {
  RISTRETTO_WARPGROUP(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];\n" ::"r"(
          shared_address(shared)),
      "l"(global), "r"(bytes), "r"(shared_address(barrier))
      : "memory");
}
RISTRETTO_DEVICE void copy_windows(void* shared, const TensorMap* map, uint64_t* barrier, int c, int w, int h,
                                   int n, int dw, int dh) {
  RISTRETTO_WARPGROUP(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4, "
      "%5, %6}], [%2], {%7, %8};\n" ::"r"(shared_address(shared)),
      "l"(map), "r"(shared_address(barrier)), "r"(c), "r"(w), "r"(h), "r"(n), "h"(int16_t(dw)),
      "h"(int16_t(dh))
      : "memory");
}

// PTX's descriptor: the address, the distance of the next 16 bytes of a row, that of the next eight rows (all
// in 16 bytes), and in the two highest bits the swizzle, 2 for 64 bytes.
using SharedMatrix = uint64_t;
RISTRETTO_DEVICE SharedMatrix swizzled_matrix(const void* shared) {
  return uint64_t(shared_address(shared) >> 4 & 0x3FFF) | uint64_t{1} << 16 | uint64_t{512 >> 4} << 32 |
         uint64_t{2} << 62;
}
RISTRETTO_DEVICE SharedMatrix chunked_matrix(const void* shared, int chunk_bytes) {
  return uint64_t(shared_address(shared) >> 4 & 0x3FFF) | uint64_t(chunk_bytes >> 4) << 16 |
         uint64_t{128 >> 4} << 32;
}

RISTRETTO_DEVICE void warpgroup_begin() { RISTRETTO_WARPGROUP("wgmma.fence.sync.aligned;\n" ::: "memory"); }
RISTRETTO_DEVICE void warpgroup_commit() {
  RISTRETTO_WARPGROUP("wgmma.commit_group.sync.aligned;\n" ::: "memory");
}
template <int kGroups, int kFragments>
RISTRETTO_DEVICE void warpgroup_wait(int32_t (&sums)[kFragments][4]) {
  RISTRETTO_WARPGROUP("wgmma.wait_group.sync.aligned %0;\n" ::"n"(kGroups) : "memory");
  if constexpr (kGroups == 0) {
    // Nothing that reads them may move to before the wait.
#pragma unroll
    for (int j = 0; j < kFragments; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) asm volatile("" : "+r"(sums[j][e])::"memory");
  }
}

#define RISTRETTO_SUMS_8(d, j)                                                                      \
  "+r"(d[j][0]), "+r"(d[j][1]), "+r"(d[j][2]), "+r"(d[j][3]), "+r"(d[j + 1][0]), "+r"(d[j + 1][1]), \
      "+r"(d[j + 1][2]), "+r"(d[j + 1][3])
#define RISTRETTO_SUMS_32(d, j) \
  RISTRETTO_SUMS_8(d, j), RISTRETTO_SUMS_8(d, j + 2), RISTRETTO_SUMS_8(d, j + 4), RISTRETTO_SUMS_8(d, j + 6)

RISTRETTO_DEVICE void multiply_warpgroup(int32_t (&d)[4][4], SharedMatrix a, SharedMatrix b, bool add) {
  RISTRETTO_WARPGROUP(
      "{\n"
      ".reg .pred add;\n"
      "setp.ne.b32 add, %18, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n32k32.s32.s8.s8 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, "
      "%12, %13, %14, %15}, %16, %17, add;\n"
      "}\n"
      : RISTRETTO_SUMS_8(d, 0), RISTRETTO_SUMS_8(d, 2)
      : "l"(a), "l"(b), "r"(int(add)));
}
RISTRETTO_DEVICE void multiply_warpgroup(int32_t (&d)[8][4], SharedMatrix a, SharedMatrix b, bool add) {
  RISTRETTO_WARPGROUP(
      "{\n"
      ".reg .pred add;\n"
      "setp.ne.b32 add, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k32.s32.s8.s8 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, "
      "%12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "%32, %33, add;\n"
      "}\n"
      : RISTRETTO_SUMS_32(d, 0)
      : "l"(a), "l"(b), "r"(int(add)));
}
RISTRETTO_DEVICE void multiply_warpgroup(int32_t (&d)[16][4], SharedMatrix a, SharedMatrix b, bool add) {
  RISTRETTO_WARPGROUP(
      "{\n"
      ".reg .pred add;\n"
      "setp.ne.b32 add, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, "
      "%12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, "
      "%52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, %64, %65, add;\n"
      "}\n"
      : RISTRETTO_SUMS_32(d, 0), RISTRETTO_SUMS_32(d, 8)
      : "l"(a), "l"(b), "r"(int(add)));
}

#undef RISTRETTO_SUMS_8
#undef RISTRETTO_SUMS_32
#undef RISTRETTO_WARPGROUP

}  // namespace ristretto::cuda
