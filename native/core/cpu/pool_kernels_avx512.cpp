#include "pool_kernels.h"

#include <cstring>

#if defined(__x86_64__)
#include "intrinsics.h"

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
namespace ristretto {
namespace {
#include "simd_avx512.h"
struct Pool : F32x16 {
  static inline V div(V a, V b) { return _mm512_div_ps(a, b); }
  // In halves, which SIMDe has.
  static inline void store_past_caches(float* p, V v) {
    _mm256_stream_ps(p, _mm512_castps512_ps256(v));
    _mm256_stream_pd(reinterpret_cast<double*>(p + 8), _mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));
  }
  static inline void fence() { _mm_sfence(); }
  static inline V even(V a, V b) {
    const __m512i index = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(a, index, b);
  }
};
#include "pool_places.inl"
#include "pool_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const PoolKernels* pool_kernels_avx512() {
  static constexpr PoolKernels kernels =
      make_pool_kernels<Pool>([](const CpuFeatures& features) { return features.avx512; });
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const PoolKernels* pool_kernels_avx512() { return nullptr; }
}  // namespace ristretto

#endif
