#include "pool_kernels.h"

#include <cstring>

#if defined(__x86_64__)
#include "intrinsics.h"

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace ristretto {
namespace {
#include "simd_avx2.h"
struct Pool : F32x8 {
  static inline V div(V a, V b) { return _mm256_div_ps(a, b); }
  static inline void store_past_caches(float* p, V v) { _mm256_stream_ps(p, v); }
  static inline void fence() { _mm_sfence(); }
  static inline V even(V a, V b) {
    const __m256 mixed = _mm256_shuffle_ps(a, b, 0x88);  // a0 a2 b0 b2 | a4 a6 b4 b6
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(mixed), 0xd8));
  }
};
#include "pool_places.inl"
#include "pool_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const PoolKernels* pool_kernels_avx2() {
  static constexpr PoolKernels kernels =
      make_pool_kernels<Pool>([](const CpuFeatures& features) { return features.avx2; });
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const PoolKernels* pool_kernels_avx2() { return nullptr; }
}  // namespace ristretto

#endif
