#include "code_kernels.h"

#if defined(__x86_64__)
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
