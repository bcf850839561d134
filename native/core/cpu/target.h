// Brackets code that is compiled for one instruction set and called only after CpuFeatures said yes. Function
// attributes, not per-file compiler flags, so that every build system compiles every file alike. Include the
// standard headers before BEGIN, or their inline functions would be compiled for that set too.
#pragma once

#define RISTRETTO_PRAGMA(text) _Pragma(#text)

#if defined(RISTRETTO_EMULATE_X86)
#define RISTRETTO_TARGET_BEGIN(set)
#define RISTRETTO_TARGET_END
#elif defined(__clang__)
#define RISTRETTO_TARGET_BEGIN(set) \
  RISTRETTO_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define RISTRETTO_TARGET_END RISTRETTO_PRAGMA(clang attribute pop)
#else
#define RISTRETTO_TARGET_BEGIN(set) RISTRETTO_PRAGMA(GCC push_options) RISTRETTO_PRAGMA(GCC target(set))
#define RISTRETTO_TARGET_END RISTRETTO_PRAGMA(GCC pop_options)
#endif

#define RISTRETTO_AVX2 "avx2,fma,f16c,bmi2"
#define RISTRETTO_AVX512 "avx2,fma,f16c,bmi2,avx512f,avx512bw,avx512dq,avx512vl"
#define RISTRETTO_AVX512_VNNI RISTRETTO_AVX512 ",avx512vnni"
#define RISTRETTO_AVX_VNNI RISTRETTO_AVX2 ",avxvnni"

#if defined(__clang__)
#define RISTRETTO_NEON_DOT "dotprod"
#else
#define RISTRETTO_NEON_DOT "arch=armv8.2-a+dotprod"
#endif

// In front of a loop over registers: unrolled before the compiler decides what lives in memory.
#if defined(__clang__)
#define RISTRETTO_UNROLL _Pragma("unroll")
#else
#define RISTRETTO_UNROLL _Pragma("GCC unroll 16")
#endif
