#include "float_kernels.h"

#include "../random.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <cstring>

#include "../format/dynamic_fixed_point.h"
#include "../format/minifloat.h"
#include "../format/power_of_two.h"

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace ristretto {
namespace {
#include "lanes_avx2.h"
#include "trim_kernels.inl"
#include "simd_avx2.h"
#include "tile_trim.inl"

struct F32x8WithTrim : F32x8 {
  using Trim = VectorTrim<Avx2Lanes>;
};
struct F32x8PairWithoutTrim : F32x8Pair {
  using Trim = NoVectorTrim;
};

#include "float_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FloatKernels* float_kernels_avx2() {
  static constexpr FloatKernels kernels = make_float_kernels<F32x8WithTrim>(
      "avx2", 32 << 10, 512 << 10, [](const CpuFeatures& features) { return features.avx2; });
  return &kernels;
}

const FloatKernels* float_kernels_paired_avx2() {
  static constexpr FloatKernels kernels = make_float_kernels<F32x8PairWithoutTrim>(
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
