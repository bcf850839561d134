#include "float_kernels.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace ristretto {
namespace {
#include "simd_avx2.h"
#include "float_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FloatKernels* float_kernels_avx2() {
  static constexpr FloatKernels kernels = make_float_kernels<F32x8>(
      "avx2", 32 << 10, 512 << 10, [](const CpuFeatures& features) { return features.avx2; });
  return &kernels;
}

const FloatKernels* float_kernels_paired_avx2() {
  static constexpr FloatKernels kernels = make_float_kernels<F32x8Pair>(
      "paired avx2", 32 << 10, 512 << 10, [](const CpuFeatures& features) { return features.avx2; });
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FloatKernels* float_kernels_avx2() { return nullptr; }
const FloatKernels* float_kernels_paired_avx2() { return nullptr; }
}  // namespace ristretto

#endif
