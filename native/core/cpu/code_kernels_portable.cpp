#include <algorithm>
#include <climits>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "code_kernels.h"

namespace ristretto {
namespace {
constexpr int kVectorBytes = 16;
template <class T>
inline auto widen_codes(const T* at) {
  typedef int32_t Ints __attribute__((vector_size(16)));
  return Ints{at[0], at[1], at[2], at[3]};
}
#include "code_kernels.inl"
}  // namespace

const CodeKernels* code_kernels_portable() {
  static constexpr CodeKernels kernels = make_code_kernels([](const CpuFeatures&) { return true; });
  return &kernels;
}

}  // namespace ristretto
