// Eight floats in an AVX2 register, and sixteen in a pair of them. Include inside the target brackets of
// AVX2.
#pragma once

struct F32x8 {
  using V = __m256;
  static constexpr int lanes = 8, rows = 4;
#define RISTRETTO_SIMD static inline __attribute__((always_inline))
  RISTRETTO_SIMD V zero() { return _mm256_setzero_ps(); }
  RISTRETTO_SIMD V load(const float* p) { return _mm256_loadu_ps(p); }
  RISTRETTO_SIMD void store(float* p, V v) { _mm256_storeu_ps(p, v); }
  RISTRETTO_SIMD V set1(float x) { return _mm256_set1_ps(x); }
  RISTRETTO_SIMD V add(V a, V b) { return _mm256_add_ps(a, b); }
  RISTRETTO_SIMD V sub(V a, V b) { return _mm256_sub_ps(a, b); }
  RISTRETTO_SIMD V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  RISTRETTO_SIMD V max(V a, V b) { return _mm256_max_ps(a, b); }
  RISTRETTO_SIMD V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
};

struct F32x8Pair {
  struct V {
    __m256 low, high;
  };
  using H = F32x8;
  static constexpr int lanes = 16, rows = 8;
  RISTRETTO_SIMD V zero() { return {H::zero(), H::zero()}; }
  RISTRETTO_SIMD V load(const float* p) { return {H::load(p), H::load(p + 8)}; }
  RISTRETTO_SIMD void store(float* p, V v) {
    H::store(p, v.low);
    H::store(p + 8, v.high);
  }
  RISTRETTO_SIMD V set1(float x) { return {H::set1(x), H::set1(x)}; }
  RISTRETTO_SIMD V add(V a, V b) { return {H::add(a.low, b.low), H::add(a.high, b.high)}; }
  RISTRETTO_SIMD V sub(V a, V b) { return {H::sub(a.low, b.low), H::sub(a.high, b.high)}; }
  RISTRETTO_SIMD V mul(V a, V b) { return {H::mul(a.low, b.low), H::mul(a.high, b.high)}; }
  RISTRETTO_SIMD V max(V a, V b) { return {H::max(a.low, b.low), H::max(a.high, b.high)}; }
  RISTRETTO_SIMD V fma(V a, V b, V c) {
    return {H::fma(a.low, b.low, c.low), H::fma(a.high, b.high, c.high)};
  }
#undef RISTRETTO_SIMD
};
