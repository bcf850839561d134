// Sixteen 32-bit sums in an AVX-512 register, for fixed_kernels.inl. No include guard: each file includes it
// inside its own target.

struct FixedLanesAvx512 {
  using Register = __m512i;
  static constexpr int lanes = 16;
  static constexpr int pixels[FixedKernels::kMostVectors] = {14, 14, 9};
  static Register load(const int32_t* at) { return _mm512_loadu_si512(at); }
  static void store(int32_t* at, Register r) { _mm512_storeu_si512(at, r); }
  static Register load_weights(const char* at) { return _mm512_loadu_si512(at); }
  static Register broadcast(const char* at) {
    int four;
    std::memcpy(&four, at, 4);
    return _mm512_set1_epi32(four);
  }
  static __m512i pack(Lanes32<16> a, Lanes32<16> b) {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
                                    _mm512_packs_epi32(Register(a), Register(b)));
  }
  static void store_codes(char* at, Lanes16<32> words, bool all) {
    const auto codes = __builtin_convertvector(words, Lanes8<32>);
    std::memcpy(at, &codes, all ? 32 : 16);
  }
};
