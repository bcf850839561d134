// The x86 vector intrinsics, for the files between RISTRETTO_TARGET_BEGIN and _END. With RISTRETTO_EMULATE_X86
// they come from SIMDe in portable code instead, so that the tests run every kernel's own source on a processor
// that lacks its instructions. That shows what a kernel computes, not how fast, and not that it is aligned.
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
#else
#include <immintrin.h>
#endif
