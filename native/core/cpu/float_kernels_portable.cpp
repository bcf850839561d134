#include "float_kernels.h"

#include <cstring>

#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace ristretto {
namespace {

// Four floats in what every 64-bit processor has; compilers lower the operators themselves.
struct F32x4 {
  typedef float V __attribute__((vector_size(16)));
  using Trim = NoVectorTrim;
  static constexpr int lanes = 4, rows = 4;
  static inline V zero() { return V{}; }
  static inline V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static inline void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }
  static inline V set1(float x) { return V{x, x, x, x}; }
  static inline V add(V a, V b) { return a + b; }
  static inline V sub(V a, V b) { return a - b; }
  static inline V mul(V a, V b) { return a * b; }
  static inline V max(V a, V b) { return a > b ? a : b; }
#if defined(__ARM_NEON) && defined(__aarch64__)
  static inline V fma(V a, V b, V c) { return V(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b))); }
#else
  static inline V fma(V a, V b, V c) { return a * b + c; }
#endif
  // x[j] of lane i = p[offset[i] + j]
  static inline void load_quads(const float* p, const int64_t* offset, V* x) {
    const float *a = p + offset[0], *b = p + offset[1], *c = p + offset[2], *d = p + offset[3];
    for (int j = 0; j < 4; ++j) x[j] = V{a[j], b[j], c[j], d[j]};
  }
  // p[i][offset + j] = x[j] of lane i
  static inline void store_quads(float* const* p, int64_t offset, const V* x) {
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) p[i][offset + j] = x[j][i];
  }
};

#include "float_kernels.inl"

}  // namespace

const FloatKernels* float_kernels_portable() {
  static constexpr FloatKernels kernels =
      make_float_kernels<F32x4>("portable", 32 << 10, 256 << 10, [](const CpuFeatures&) { return true; });
  return &kernels;
}

const FloatKernels& select_float_kernels(const CpuFeatures& features) {
  for (const FloatKernels* kernels : {float_kernels_avx512(), float_kernels_avx2()})
    if (kernels && kernels->available(features)) return *kernels;
  return *float_kernels_portable();
}

}  // namespace ristretto
