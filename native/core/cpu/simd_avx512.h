// Sixteen floats in an AVX-512 register. Include inside the target brackets of AVX-512. Zero-masking forms with a
// full mask stand where GCC 12 warns about its own plain ones.
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
    const auto four = [&](int i) __attribute__((always_inline)) {
      V v = _mm512_castps128_ps512(_mm_loadu_ps(p + offset[i]));
      v = _mm512_maskz_insertf32x4(__mmask16(-1), v, _mm_loadu_ps(p + offset[i + 4]), 1);
      v = _mm512_maskz_insertf32x4(__mmask16(-1), v, _mm_loadu_ps(p + offset[i + 8]), 2);
      return _mm512_maskz_insertf32x4(__mmask16(-1), v, _mm_loadu_ps(p + offset[i + 12]), 3);
    };
    transpose_quads(four(0), four(1), four(2), four(3), x);
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
  // The 4 x 4 transposes within each quarter.
  RISTRETTO_SIMD void transpose_quads(V a, V b, V c, V d, V* x) {
    const __mmask16 all = __mmask16(-1);
    const V ab_low = _mm512_maskz_unpacklo_ps(all, a, b), ab_high = _mm512_maskz_unpackhi_ps(all, a, b);
    const V cd_low = _mm512_maskz_unpacklo_ps(all, c, d), cd_high = _mm512_maskz_unpackhi_ps(all, c, d);
    x[0] = _mm512_maskz_shuffle_ps(all, ab_low, cd_low, 0x44);
    x[1] = _mm512_maskz_shuffle_ps(all, ab_low, cd_low, 0xee);
    x[2] = _mm512_maskz_shuffle_ps(all, ab_high, cd_high, 0x44);
    x[3] = _mm512_maskz_shuffle_ps(all, ab_high, cd_high, 0xee);
  }
#undef RISTRETTO_SIMD
};
