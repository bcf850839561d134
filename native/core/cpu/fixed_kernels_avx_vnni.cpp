#include "fixed_kernels.h"
#include "fixed_lanes.h"

// SIMDe 0.7 has no AVX-VNNI: emulated tests go without this table.
#if defined(__x86_64__) && !defined(RISTRETTO_EMULATE_X86)
#include "intrinsics.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX_VNNI)
namespace ristretto {
namespace {

#include "fixed_lanes_avx2.h"

// The dot products that AVX-512 machines have, on 256 bits.
struct AvxVnni : FixedLanesAvx2 {
  static constexpr int pixels[FixedKernels::kMostVectors] = {12, 6, 4};
  static Register dot_bytes(Register sum, Register src, Register weights) {
    return _mm256_dpbusd_avx_epi32(sum, src, weights);
  }
  static Register dot_words(Register sum, Register src, Register weights) {
    return _mm256_dpwssd_avx_epi32(sum, src, weights);
  }
};

#include "fixed_kernels.inl"

}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FixedKernels* fixed_kernels_avx_vnni() {
  static constexpr FixedKernels kernels = make_fixed_kernels<AvxVnni>(
      "avx_vnni", [](const CpuFeatures& features) { return features.avx_vnni; }, INT_MAX, false);
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FixedKernels* fixed_kernels_avx_vnni() { return nullptr; }
}  // namespace ristretto

#endif
