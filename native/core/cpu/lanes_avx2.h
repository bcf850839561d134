// Eight floats or 32-bit words in an AVX2 register, for the span kernels. Include inside the target brackets
// of AVX2.
#pragma once

struct Avx2Lanes {
  using F = __m256;
  using I = __m256i;
  using M = __m256;  // all bits of a lane, or none
  static constexpr int lanes = 8;
#define RISTRETTO_LANES static inline __attribute__((always_inline))
  RISTRETTO_LANES F load(const float* p) { return _mm256_loadu_ps(p); }
  RISTRETTO_LANES void store(float* p, F v) { _mm256_storeu_ps(p, v); }
  RISTRETTO_LANES F set1(float x) { return _mm256_set1_ps(x); }
  RISTRETTO_LANES I set1i(uint32_t x) { return _mm256_set1_epi32(int(x)); }
  RISTRETTO_LANES I bits(F v) { return _mm256_castps_si256(v); }
  RISTRETTO_LANES F floats(I v) { return _mm256_castsi256_ps(v); }

  RISTRETTO_LANES F add(F a, F b) { return _mm256_add_ps(a, b); }
  RISTRETTO_LANES F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  RISTRETTO_LANES F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  // b where either is a NaN
  RISTRETTO_LANES F min(F a, F b) { return _mm256_min_ps(a, b); }
  RISTRETTO_LANES F max(F a, F b) { return _mm256_max_ps(a, b); }
  RISTRETTO_LANES F trunc(F v) { return _mm256_round_ps(v, _MM_FROUND_TO_ZERO); }
  RISTRETTO_LANES F floor(F v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEG_INF); }
  RISTRETTO_LANES F nearest_even(F v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT); }
  // floor of 0 <= v < 2^32
  RISTRETTO_LANES I to_u32(F v) {
    const F top = set1(0x1p31f), large = _mm256_cmp_ps(v, top, _CMP_GE_OQ);
    const I low = _mm256_cvttps_epi32(_mm256_sub_ps(v, _mm256_and_ps(large, top)));
    return _mm256_xor_si256(low, _mm256_slli_epi32(bits(large), 31));
  }

  RISTRETTO_LANES I add(I a, I b) { return _mm256_add_epi32(a, b); }
  RISTRETTO_LANES I negate(I v) { return _mm256_sub_epi32(_mm256_setzero_si256(), v); }
  RISTRETTO_LANES I both(I a, I b) { return _mm256_and_si256(a, b); }
  RISTRETTO_LANES I either(I a, I b) { return _mm256_or_si256(a, b); }
  RISTRETTO_LANES I exclusive(I a, I b) { return _mm256_xor_si256(a, b); }
  RISTRETTO_LANES I without(I mask, I v) { return _mm256_andnot_si256(mask, v); }
  // 0 where the count is 32
  RISTRETTO_LANES I shift_left(I v, int count) { return _mm256_sll_epi32(v, _mm_cvtsi32_si128(count)); }
  RISTRETTO_LANES I shift_right(I v, int count) { return _mm256_srl_epi32(v, _mm_cvtsi32_si128(count)); }
  RISTRETTO_LANES I min_u32(I a, I b) { return _mm256_min_epu32(a, b); }
  RISTRETTO_LANES I max_u32(I a, I b) { return _mm256_max_epu32(a, b); }

  RISTRETTO_LANES M no_lane() { return _mm256_setzero_ps(); }
  RISTRETTO_LANES M is_nan(F v) { return _mm256_cmp_ps(v, v, _CMP_UNORD_Q); }
  RISTRETTO_LANES M any_nan(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_UNORD_Q); }
  RISTRETTO_LANES M at_least(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
  // Both are numbers, and not equal.
  RISTRETTO_LANES M differ(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_OQ); }
  RISTRETTO_LANES M less(I a, I b) {  // unsigned
    const I top = set1i(0x80000000u);
    return floats(_mm256_cmpgt_epi32(exclusive(b, top), exclusive(a, top)));
  }
  RISTRETTO_LANES M any_of(M a, M b) { return _mm256_or_ps(a, b); }
  RISTRETTO_LANES bool any(M m) { return _mm256_movemask_ps(m) != 0; }
  // v and 1 in the lanes of m
  RISTRETTO_LANES I tally(I v, M m) { return _mm256_sub_epi32(v, bits(m)); }
  // v in the lanes of m, 0 elsewhere; and the reverse
  RISTRETTO_LANES I keep(M m, I v) { return both(bits(m), v); }
  RISTRETTO_LANES I drop(M m, I v) { return without(bits(m), v); }
  RISTRETTO_LANES F select(M m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }

  // Of 64-bit lanes: products of the low words; the high words moved down; the low words of two put side by
  // side.
  RISTRETTO_LANES I multiply_low_words(I a, I b) { return _mm256_mul_epu32(a, b); }
  RISTRETTO_LANES I high_words(I v) { return _mm256_srli_epi64(v, 32); }
  RISTRETTO_LANES I merge_low_words(I even, I odd) {
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
  }
  // Lane l holds the counter that `transpose` brings into order.
  RISTRETTO_LANES I transposing_offsets() { return _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7); }
  RISTRETTO_LANES void transpose(I a, I b, I c, I d, I out[4]) {
    const I ab_low = _mm256_unpacklo_epi32(a, b), ab_high = _mm256_unpackhi_epi32(a, b);
    const I cd_low = _mm256_unpacklo_epi32(c, d), cd_high = _mm256_unpackhi_epi32(c, d);
    out[0] = _mm256_unpacklo_epi64(ab_low, cd_low);
    out[1] = _mm256_unpackhi_epi64(ab_low, cd_low);
    out[2] = _mm256_unpacklo_epi64(ab_high, cd_high);
    out[3] = _mm256_unpackhi_epi64(ab_high, cd_high);
  }
#undef RISTRETTO_LANES
};
