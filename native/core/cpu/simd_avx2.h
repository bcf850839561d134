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
  // x[j] of lane i = p[offset[i] + j]
  RISTRETTO_SIMD void load_quads(const float* p, const int64_t* offset, V* x) {
    transpose_quads(every_fourth(p, offset), every_fourth(p, offset + 1), every_fourth(p, offset + 2),
                    every_fourth(p, offset + 3), x);
  }
  RISTRETTO_SIMD V every_fourth(const float* p, const int64_t* offset) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + offset[0])),
                                _mm_loadu_ps(p + offset[4]), 1);
  }
  // p[i][offset + j] = x[j] of lane i
  RISTRETTO_SIMD void store_quads(float* const* p, int64_t offset, const V* x) {
    V q[4];
    transpose_quads(x[0], x[1], x[2], x[3], q);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_ps(p[i] + offset, _mm256_castps256_ps128(q[i]));
      _mm_storeu_ps(p[i + 4] + offset, _mm256_extractf128_ps(q[i], 1));
    }
  }
  // The 4 x 4 transposes within each half.
  RISTRETTO_SIMD void transpose_quads(V a, V b, V c, V d, V* x) {
    const V ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
    const V cd_low = _mm256_unpacklo_ps(c, d), cd_high = _mm256_unpackhi_ps(c, d);
    x[0] = _mm256_shuffle_ps(ab_low, cd_low, 0x44);
    x[1] = _mm256_shuffle_ps(ab_low, cd_low, 0xee);
    x[2] = _mm256_shuffle_ps(ab_high, cd_high, 0x44);
    x[3] = _mm256_shuffle_ps(ab_high, cd_high, 0xee);
  }
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
  RISTRETTO_SIMD void load_quads(const float* p, const int64_t* offset, V* x) {
    __m256 low[4], high[4];
    H::load_quads(p, offset, low);
    H::load_quads(p, offset + 8, high);
    for (int j = 0; j < 4; ++j) x[j] = {low[j], high[j]};
  }
  RISTRETTO_SIMD void store_quads(float* const* p, int64_t offset, const V* x) {
    const __m256 low[4] = {x[0].low, x[1].low, x[2].low, x[3].low};
    const __m256 high[4] = {x[0].high, x[1].high, x[2].high, x[3].high};
    H::store_quads(p, offset, low);
    H::store_quads(p + 8, offset, high);
  }
#undef RISTRETTO_SIMD
};
