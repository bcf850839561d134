// Sixteen floats in an AVX-512 register. Include inside the target brackets of AVX-512. Zero-masking forms
// with a full mask stand where GCC 12 warns about its own plain ones.
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
  RISTRETTO_SIMD V max(V a, V b) { return _mm512_maskz_max_ps(__mmask16(-1), a, b); }
  RISTRETTO_SIMD V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  // x[j] of lane i = p[offset[i] + j]
  RISTRETTO_SIMD void load_quads(const float* p, const int64_t* offset, V* x) {
    transpose_quads(every_fourth(p, offset), every_fourth(p, offset + 1), every_fourth(p, offset + 2),
                    every_fourth(p, offset + 3), x);
  }
  RISTRETTO_SIMD V every_fourth(const float* p, const int64_t* offset) {
    V v = _mm512_castps128_ps512(_mm_loadu_ps(p + offset[0]));
    v = _mm512_maskz_insertf32x4(__mmask16(-1), v, _mm_loadu_ps(p + offset[4]), 1);
    v = _mm512_maskz_insertf32x4(__mmask16(-1), v, _mm_loadu_ps(p + offset[8]), 2);
    return _mm512_maskz_insertf32x4(__mmask16(-1), v, _mm_loadu_ps(p + offset[12]), 3);
  }
  // p[i][offset + j] = x[j] of lane i
  RISTRETTO_SIMD void store_quads(float* const* p, int64_t offset, const V* x) {
    V q[4];
    transpose_quads(x[0], x[1], x[2], x[3], q);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      _mm_storeu_ps(p[i] + offset, _mm512_maskz_extractf32x4_ps(__mmask8(-1), q[i], 0));
      _mm_storeu_ps(p[i + 4] + offset, _mm512_maskz_extractf32x4_ps(__mmask8(-1), q[i], 1));
      _mm_storeu_ps(p[i + 8] + offset, _mm512_maskz_extractf32x4_ps(__mmask8(-1), q[i], 2));
      _mm_storeu_ps(p[i + 12] + offset, _mm512_maskz_extractf32x4_ps(__mmask8(-1), q[i], 3));
    }
  }
  RISTRETTO_SIMD V pairs_low(V a, V b) {
    return _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(__mmask8(-1), _mm512_castps_pd(a), _mm512_castps_pd(b)));
  }
  RISTRETTO_SIMD V pairs_high(V a, V b) {
    return _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(__mmask8(-1), _mm512_castps_pd(a), _mm512_castps_pd(b)));
  }
  // The 4 x 4 transposes within each quarter.
  RISTRETTO_SIMD void transpose_quads(V a, V b, V c, V d, V* x) {
    const __mmask16 all = __mmask16(-1);
    const V ab_low = _mm512_maskz_unpacklo_ps(all, a, b), ab_high = _mm512_maskz_unpackhi_ps(all, a, b);
    const V cd_low = _mm512_maskz_unpacklo_ps(all, c, d), cd_high = _mm512_maskz_unpackhi_ps(all, c, d);
    x[0] = pairs_low(ab_low, cd_low);
    x[1] = pairs_high(ab_low, cd_low);
    x[2] = pairs_low(ab_high, cd_high);
    x[3] = pairs_high(ab_high, cd_high);
  }
#undef RISTRETTO_SIMD
};
