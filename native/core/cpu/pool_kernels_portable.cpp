#include "pool_kernels.h"

#include <cstring>

namespace ristretto {
namespace {

// Four floats in what every 64-bit processor has; compilers lower the operators themselves.
struct Pool {
  typedef float V __attribute__((vector_size(16)));
  static constexpr int lanes = 4;
  static inline V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static inline void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static inline void store_past_caches(float* p, V v) { store(p, v); }
  static inline void fence() {}
  static inline V set1(float x) { return V{x, x, x, x}; }
  static inline V add(V a, V b) { return a + b; }
  static inline V mul(V a, V b) { return a * b; }
  static inline V div(V a, V b) { return a / b; }
  static inline V max(V a, V b) { return a > b ? a : b; }
  static inline V even(V a, V b) { return V{a[0], a[2], b[0], b[2]}; }
};
#include "pool_places.inl"
#include "pool_kernels.inl"

}  // namespace

const PoolKernels* pool_kernels_portable() {
  static constexpr PoolKernels kernels = make_pool_kernels<Pool>([](const CpuFeatures&) { return true; });
  return &kernels;
}

}  // namespace ristretto
