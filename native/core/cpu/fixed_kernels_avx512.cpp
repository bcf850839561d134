#include "fixed_kernels.h"
#include "fixed_lanes.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
namespace ristretto {
namespace {

#include "fixed_lanes_avx512.h"

struct Avx512 : FixedLanesAvx512 {
  // Saturates at 16 bits, so it is used only where no pair of products gets there (most_pair).
  static Register dot_bytes(Register sum, Register src, Register weights) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(src, weights), _mm512_set1_epi16(1)));
  }
  static Register dot_words(Register sum, Register src, Register weights) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(src, weights));
  }
};

#include "fixed_kernels.inl"

}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FixedKernels* fixed_kernels_avx512() {
  static constexpr FixedKernels kernels = make_fixed_kernels<Avx512>(
      "avx512", [](const CpuFeatures& features) { return features.avx512; }, INT16_MAX, false);
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FixedKernels* fixed_kernels_avx512() { return nullptr; }
}  // namespace ristretto

#endif
