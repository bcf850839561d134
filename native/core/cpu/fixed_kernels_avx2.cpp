#include "fixed_kernels.h"
#include "fixed_lanes.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace ristretto {
namespace {

#include "fixed_lanes_avx2.h"

struct Avx2 : FixedLanesAvx2 {
  static constexpr int pixels[FixedKernels::kMostVectors] = {10, 5, 3};
  // Saturates at 16 bits, so it is used only where no pair of products gets there (most_pair).
  static Register dot_bytes(Register sum, Register src, Register weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(src, weights), _mm256_set1_epi16(1)));
  }
  static Register dot_words(Register sum, Register src, Register weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(src, weights));
  }
};

#include "fixed_kernels.inl"

}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FixedKernels* fixed_kernels_avx2() {
  static constexpr FixedKernels kernels = make_fixed_kernels<Avx2>(
      "avx2", [](const CpuFeatures& features) { return features.avx2; }, INT16_MAX, false);
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FixedKernels* fixed_kernels_avx2() { return nullptr; }
}  // namespace ristretto

#endif
