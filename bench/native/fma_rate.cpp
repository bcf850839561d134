#include "fma_rate.h"

#include <algorithm>
#include <chrono>

#include "core/cpu/target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr int kChains = 12;  // more than latency times width, fewer than the registers
constexpr long kRounds = 2000000;

#if defined(__x86_64__)
RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
float chains_avx512() {
  __m512 sum[kChains];
  for (__m512& s : sum) s = _mm512_set1_ps(1);
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (long i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sum[j] = _mm512_fmadd_ps(sum[j], a, b);
  for (int j = 1; j < kChains; ++j) sum[0] = _mm512_add_ps(sum[0], sum[j]);
  float out[16];
  _mm512_storeu_ps(out, sum[0]);
  return out[0];
}
RISTRETTO_TARGET_END
RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
float chains_avx2() {
  __m256 sum[kChains];
  for (__m256& s : sum) s = _mm256_set1_ps(1);
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (long i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sum[j] = _mm256_fmadd_ps(sum[j], a, b);
  for (int j = 1; j < kChains; ++j) sum[0] = _mm256_add_ps(sum[0], sum[j]);
  float out[8];
  _mm256_storeu_ps(out, sum[0]);
  return out[0];
}
RISTRETTO_TARGET_END
#endif

float chains_portable() {
  typedef float V __attribute__((vector_size(16)));
  V sum[kChains];
  for (V& s : sum) s = V{1, 1, 1, 1};
  const V a = {0.999f, 0.999f, 0.999f, 0.999f}, b = {0.001f, 0.001f, 0.001f, 0.001f};
  for (long i = 0; i < kRounds; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sum[j] = sum[j] * a + b;
  for (int j = 1; j < kChains; ++j) sum[0] += sum[j];
  return sum[0][0];
}

}  // namespace

double measure_fma_rate(const ristretto::CpuFeatures& features) {
  float (*chains)() = chains_portable;
  int lanes = 4;
#if defined(__x86_64__)
  if (features.avx512) {
    chains = chains_avx512, lanes = 16;
  } else if (features.avx2) {
    chains = chains_avx2, lanes = 8;
  }
#endif
  double best = 0;
  volatile float keep;
  for (int round = 0; round < 10; ++round) {
    const auto start = std::chrono::steady_clock::now();
    keep = chains();
    const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * kChains * lanes * kRounds / s);
  }
  (void)keep;
  return best;
}
