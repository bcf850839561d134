// Sixteen floats or 32-bit words in an AVX-512 register, for the span kernels. Include inside the target
// brackets of AVX-512. Zero-masked forms stand where GCC 12 warns about the plain ones.
#pragma once

struct Avx512Lanes {
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;
  static constexpr int lanes = 16;
  static constexpr __mmask16 kAll = 0xFFFF;
#define RISTRETTO_LANES static inline __attribute__((always_inline))
  RISTRETTO_LANES F load(const float* p) { return _mm512_loadu_ps(p); }
  RISTRETTO_LANES void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  RISTRETTO_LANES F set1(float x) { return _mm512_set1_ps(x); }
  RISTRETTO_LANES I set1i(uint32_t x) { return _mm512_set1_epi32(int(x)); }
  RISTRETTO_LANES I bits(F v) { return _mm512_castps_si512(v); }
  RISTRETTO_LANES F floats(I v) { return _mm512_castsi512_ps(v); }

  RISTRETTO_LANES F add(F a, F b) { return _mm512_add_ps(a, b); }
  RISTRETTO_LANES F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  RISTRETTO_LANES F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  // b where either is a NaN
  RISTRETTO_LANES F min(F a, F b) { return _mm512_maskz_min_ps(kAll, a, b); }
  RISTRETTO_LANES F max(F a, F b) { return _mm512_maskz_max_ps(kAll, a, b); }
  RISTRETTO_LANES F trunc(F v) { return _mm512_maskz_roundscale_ps(kAll, v, _MM_FROUND_TO_ZERO); }
  RISTRETTO_LANES F floor(F v) { return _mm512_maskz_roundscale_ps(kAll, v, _MM_FROUND_TO_NEG_INF); }
  RISTRETTO_LANES F nearest_even(F v) {
    return _mm512_maskz_roundscale_ps(kAll, v, _MM_FROUND_TO_NEAREST_INT);
  }
  // floor of 0 <= v < 2^32
  RISTRETTO_LANES I to_u32(F v) { return _mm512_maskz_cvttps_epu32(kAll, v); }

  RISTRETTO_LANES I add(I a, I b) { return _mm512_add_epi32(a, b); }
  RISTRETTO_LANES I negate(I v) { return _mm512_sub_epi32(_mm512_setzero_si512(), v); }
  RISTRETTO_LANES I both(I a, I b) { return _mm512_and_si512(a, b); }
  RISTRETTO_LANES I either(I a, I b) { return _mm512_or_si512(a, b); }
  RISTRETTO_LANES I exclusive(I a, I b) { return _mm512_xor_si512(a, b); }
  RISTRETTO_LANES I without(I mask, I v) { return _mm512_maskz_andnot_epi32(kAll, mask, v); }
  // 0 where the count is 32
  RISTRETTO_LANES I shift_left(I v, int count) {
    return _mm512_maskz_sll_epi32(kAll, v, _mm_cvtsi32_si128(count));
  }
  RISTRETTO_LANES I shift_right(I v, int count) {
    return _mm512_maskz_srl_epi32(kAll, v, _mm_cvtsi32_si128(count));
  }
  RISTRETTO_LANES I min_u32(I a, I b) { return _mm512_maskz_min_epu32(kAll, a, b); }
  RISTRETTO_LANES I max_u32(I a, I b) { return _mm512_maskz_max_epu32(kAll, a, b); }

  RISTRETTO_LANES M no_lane() { return 0; }
  RISTRETTO_LANES M is_nan(F v) { return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q); }
  RISTRETTO_LANES M any_nan(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
  RISTRETTO_LANES M at_least(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
  // Both are numbers, and not equal.
  RISTRETTO_LANES M differ(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_OQ); }
  RISTRETTO_LANES M less(I a, I b) { return M(~_mm512_cmple_epu32_mask(b, a)); }
  RISTRETTO_LANES M any_of(M a, M b) { return M(a | b); }
  RISTRETTO_LANES bool any(M m) { return m != 0; }
  // v and 1 in the lanes of m
  RISTRETTO_LANES I tally(I v, M m) { return _mm512_mask_add_epi32(v, m, v, set1i(1)); }
  // v in the lanes of m, 0 elsewhere; and the reverse
  RISTRETTO_LANES I keep(M m, I v) { return _mm512_maskz_mov_epi32(m, v); }
  RISTRETTO_LANES I drop(M m, I v) { return _mm512_maskz_mov_epi32(M(~m), v); }
  RISTRETTO_LANES F select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }

  // Of 64-bit lanes: products of the low words; the high words moved down; the low words of two put side by
  // side.
  RISTRETTO_LANES I multiply_low_words(I a, I b) { return _mm512_maskz_mul_epu32(0xFF, a, b); }
  RISTRETTO_LANES I high_words(I v) { return _mm512_srli_epi64(v, 32); }
  RISTRETTO_LANES I merge_low_words(I even, I odd) {
    return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
  }
  // Lane l holds the counter that `transpose` brings into order.
  RISTRETTO_LANES I transposing_offsets() {
    return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  }
  RISTRETTO_LANES void transpose(I a, I b, I c, I d, I out[4]) {
    const I ab_low = _mm512_maskz_unpacklo_epi32(kAll, a, b),
            ab_high = _mm512_maskz_unpackhi_epi32(kAll, a, b);
    const I cd_low = _mm512_maskz_unpacklo_epi32(kAll, c, d),
            cd_high = _mm512_maskz_unpackhi_epi32(kAll, c, d);
    out[0] = _mm512_maskz_unpacklo_epi64(0xFF, ab_low, cd_low);
    out[1] = _mm512_maskz_unpackhi_epi64(0xFF, ab_low, cd_low);
    out[2] = _mm512_maskz_unpacklo_epi64(0xFF, ab_high, cd_high);
    out[3] = _mm512_maskz_unpackhi_epi64(0xFF, ab_high, cd_high);
  }
#undef RISTRETTO_LANES
};
