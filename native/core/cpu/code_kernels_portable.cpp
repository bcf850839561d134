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
#include "code_kernels.inl"
}  // namespace

const CodeKernels* code_kernels_portable() {
  static constexpr CodeKernels kernels = make_code_kernels([](const CpuFeatures&) { return true; });
  return &kernels;
}

}  // namespace ristretto
