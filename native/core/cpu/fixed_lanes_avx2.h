// Eight 32-bit sums in an AVX2 register, for fixed_kernels.inl. No include guard: each file includes it
// inside its own target.

struct FixedLanesAvx2 {
  using Register = __m256i;
  static constexpr int lanes = 8;
  static Register load(const int32_t* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }
  static void store(int32_t* at, Register r) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), r); }
  static Register load_weights(const char* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  static Register broadcast(const char* at) {
    int four;
    std::memcpy(&four, at, 4);
    return _mm256_set1_epi32(four);
  }
  static __m256i pack(Lanes32<8> a, Lanes32<8> b) {
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(Register(a), Register(b)), 0xD8);
  }
  static void store_codes(char* at, Lanes16<16> words, bool all) {
    const __m128i codes = _mm_packus_epi16(_mm256_castsi256_si128(Register(words)),
                                           _mm256_extracti128_si256(Register(words), 1));
    if (all)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(at), codes);
    else
      _mm_storel_epi64(reinterpret_cast<__m128i*>(at), codes);
  }
};
