#include "fixed_kernels.h"
#include "fixed_lanes.h"
#include "target.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

namespace ristretto {
namespace {

// Four lanes in the compiler's own vectors. Codes go in as 16 bits, which every instruction set can multiply.
struct Portable4 {
  using Register = Lanes32<4>;
  static constexpr int lanes = 4;
  static constexpr int pixels[FixedKernels::kMostVectors] = {4, 2, 2};
  template <class T>
  static T at(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static Register load(const int32_t* from) { return at<Register>(from); }
  static void store(int32_t* to, Register r) { std::memcpy(to, &r, sizeof r); }
  static Register load_weights(const char* from) { return at<Register>(from); }
  static Register broadcast(const char* from) { return Register{} + at<int32_t>(from); }
  static Register dot_words(Register sum, Register src, Register weights) {
    // Even and odd words of each lane, sign extended.
    const Register even = (src << 16 >> 16) * (weights << 16 >> 16), odd = (src >> 16) * (weights >> 16);
    return sum + even + odd;
  }
  static Register dot_bytes(Register sum, Register src, Register weights) {
    typedef uint32_t Unsigned __attribute__((vector_size(16)));
    for (int byte = 0; byte < 4; ++byte)
      sum += Register((Unsigned(src) >> (8 * byte)) & 255u) * (weights << (24 - 8 * byte) >> 24);
    return sum;
  }
  static Lanes16<8> pack(Register a, Register b) {
    const auto words = [](Register x) {
      x = x < INT16_MIN ? Register{} + INT16_MIN : x;
      x = x > INT16_MAX ? Register{} + INT16_MAX : x;
      return __builtin_convertvector(x, Lanes16<4>);
    };
    return __builtin_shufflevector(words(a), words(b), 0, 1, 2, 3, 4, 5, 6, 7);
  }
  static void store_codes(char* at, Lanes16<8> words, bool all) {
    const auto codes = __builtin_convertvector(words, Lanes8<8>);
    std::memcpy(at, &codes, all ? 8 : 4);
  }
};

#include "fixed_kernels.inl"

}  // namespace

const FixedKernels* fixed_kernels_portable() {
  static constexpr FixedKernels kernels = make_fixed_kernels<Portable4>(
      "portable", [](const CpuFeatures&) { return true; }, INT_MAX, false);
  return &kernels;
}

}  // namespace ristretto
