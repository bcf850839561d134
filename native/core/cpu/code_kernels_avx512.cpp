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

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
namespace ristretto {
namespace {
constexpr int kVectorBytes = 64;
inline __m512i widen_codes(const int8_t* at) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
inline __m512i widen_codes(const uint8_t* at) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
inline __m512i widen_codes(const int16_t* at) {
  return _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
#include "code_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const CodeKernels* code_kernels_avx512() {
  static constexpr CodeKernels kernels =
      make_code_kernels([](const CpuFeatures& features) { return features.avx512; });
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const CodeKernels* code_kernels_avx512() { return nullptr; }
}  // namespace ristretto

#endif
