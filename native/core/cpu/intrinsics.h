// The x86 vector intrinsics, for the files between RISTRETTO_TARGET_BEGIN and _END. With
// RISTRETTO_EMULATE_X86 they come from SIMDe in portable code instead, so that the tests run every kernel's
// own source on a processor that lacks its instructions. That shows what a kernel computes, not how fast, and
// not that it is aligned.
#pragma once

#if defined(RISTRETTO_EMULATE_X86)
#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC system_header
#endif
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>
// SIMDe has no native names for these.
using __mmask8 = simde__mmask8;
using __mmask16 = simde__mmask16;
using __mmask32 = simde__mmask32;
using __mmask64 = simde__mmask64;
// SIMDe 0.7 rounds ties away from zero under this name, and to even in the current direction.
#undef _MM_FROUND_TO_NEAREST_INT
#define _MM_FROUND_TO_NEAREST_INT SIMDE_MM_FROUND_CUR_DIRECTION
// SIMDe 0.7 gives this name the arguments of its masked form.
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
// SIMDe 0.7 lacks this one.
__attribute__((always_inline)) static inline simde__m512i _mm512_maskz_cvttps_epu32(simde__mmask16 mask,
                                                                                    simde__m512 v) {
  float in[16];
  unsigned out[16];
  simde_mm512_storeu_ps(in, v);
  for (int i = 0; i < 16; ++i)
    out[i] = !(mask >> i & 1) ? 0 : in[i] >= 0 && in[i] < 0x1p32f ? unsigned(in[i]) : 0xFFFFFFFFu;
  return simde_mm512_loadu_si512(out);
}
// SIMDe 0.7 lacks these.
__attribute__((always_inline)) static inline simde__m512i _mm512_cvtepi8_epi32(simde__m128i v) {
  return simde_mm512_inserti64x4(simde_mm512_castsi256_si512(simde_mm256_cvtepi8_epi32(v)),
                                 simde_mm256_cvtepi8_epi32(simde_mm_srli_si128(v, 8)), 1);
}
__attribute__((always_inline)) static inline simde__m512i _mm512_cvtepu8_epi32(simde__m128i v) {
  return simde_mm512_inserti64x4(simde_mm512_castsi256_si512(simde_mm256_cvtepu8_epi32(v)),
                                 simde_mm256_cvtepu8_epi32(simde_mm_srli_si128(v, 8)), 1);
}
__attribute__((always_inline)) static inline simde__m512i _mm512_cvtepi16_epi32(simde__m256i v) {
  return simde_mm512_inserti64x4(
      simde_mm512_castsi256_si512(simde_mm256_cvtepi16_epi32(simde_mm256_castsi256_si128(v))),
      simde_mm256_cvtepi16_epi32(simde_mm256_extracti128_si256(v, 1)), 1);
}
#else
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined operands of its own unmasked intrinsics for uninitialised variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#endif
