// Sixteen floats in an AVX-512 register. Include inside the target brackets of AVX-512.
#pragma once

struct F32x16 {
  using V = __m512;
  static constexpr int lanes = 16, rows = 8;
#define RISTRETTO_SIMD static inline __attribute__((always_inline))
  RISTRETTO_SIMD V zero() { return _mm512_setzero_ps(); }
  RISTRETTO_SIMD V load(const float* p) { return _mm512_loadu_ps(p); }
  RISTRETTO_SIMD void store(float* p, V v) { _mm512_storeu_ps(p, v); }
  RISTRETTO_SIMD V set1(float x) { return _mm512_set1_ps(x); }
  RISTRETTO_SIMD V add(V a, V b) { return _mm512_add_ps(a, b); }
  RISTRETTO_SIMD V sub(V a, V b) { return _mm512_sub_ps(a, b); }
  RISTRETTO_SIMD V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  // the masked form: GCC 12 warns about the plain one
  RISTRETTO_SIMD V max(V a, V b) { return _mm512_maskz_max_ps(__mmask16(-1), a, b); }
  RISTRETTO_SIMD V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
#undef RISTRETTO_SIMD
};
