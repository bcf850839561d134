#include "fixed_kernels.h"
#include "fixed_lanes.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512_VNNI)
namespace ristretto {
namespace {

#include "fixed_lanes_avx512.h"

struct Avx512Vnni : FixedLanesAvx512 {
  static Register dot_bytes(Register sum, Register src, Register weights) {
    return _mm512_dpbusd_epi32(sum, src, weights);
  }
  static Register dot_words(Register sum, Register src, Register weights) {
    return _mm512_dpwssd_epi32(sum, src, weights);
  }
};

#include "fixed_kernels.inl"

}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FixedKernels* fixed_kernels_avx512_vnni() {
  static constexpr FixedKernels kernels = make_fixed_kernels<Avx512Vnni>(
      "avx512_vnni", [](const CpuFeatures& features) { return features.avx512_vnni; }, INT_MAX, false);
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FixedKernels* fixed_kernels_avx512_vnni() { return nullptr; }
}  // namespace ristretto

#endif
