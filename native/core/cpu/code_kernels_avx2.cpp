#include "code_kernels.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace ristretto {
namespace {
constexpr int kVectorBytes = 32;
inline __m256i widen_codes(const int8_t* at) {
  return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}
inline __m256i widen_codes(const uint8_t* at) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}
inline __m256i widen_codes(const int16_t* at) {
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
#include "code_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const CodeKernels* code_kernels_avx2() {
  static constexpr CodeKernels kernels =
      make_code_kernels([](const CpuFeatures& features) { return features.avx2; });
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const CodeKernels* code_kernels_avx2() { return nullptr; }
}  // namespace ristretto

#endif
