#include "float_kernels.h"

#include "../random.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <cstring>

#include "../format/dynamic_fixed_point.h"
#include "../format/minifloat.h"
#include "../format/power_of_two.h"

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
namespace ristretto {
namespace {
#include "lanes_avx512.h"
#include "trim_kernels.inl"
#include "simd_avx512.h"
#include "tile_trim.inl"

struct F32x16WithTrim : F32x16 {
  using Trim = VectorTrim<Avx512Lanes>;
};

#include "float_kernels.inl"
}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FloatKernels* float_kernels_avx512() {
  static constexpr FloatKernels kernels = make_float_kernels<F32x16WithTrim>(
      "avx512", 48 << 10, 1 << 20, [](const CpuFeatures& features) { return features.avx512; });
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FloatKernels* float_kernels_avx512() { return nullptr; }
}  // namespace ristretto

#endif
