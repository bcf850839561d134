#include "fixed_kernels.h"
#include "fixed_lanes.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "target.h"

RISTRETTO_TARGET_BEGIN(RISTRETTO_NEON_DOT)
namespace ristretto {
namespace {

struct NeonDot {
  using Register = int32x4_t;
  static constexpr int lanes = 4;
  static constexpr int pixels[FixedKernels::kMostVectors] = {14, 12, 8};
  static Register load(const int32_t* at) { return vld1q_s32(at); }
  static void store(int32_t* at, Register r) { vst1q_s32(at, r); }
  static Register load_weights(const char* at) {
    return vreinterpretq_s32_s8(vld1q_s8(reinterpret_cast<const int8_t*>(at)));
  }
  static Register broadcast(const char* at) {
    int32_t four;
    std::memcpy(&four, at, 4);
    return vdupq_n_s32(four);
  }
  static Register dot_bytes(Register sum, Register src, Register weights) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(src), vreinterpretq_s8_s32(weights));
  }
  static Register dot_words(Register sum, Register src, Register weights) {
    const int16x8_t s = vreinterpretq_s16_s32(src), w = vreinterpretq_s16_s32(weights);
    return vaddq_s32(sum, vpaddq_s32(vmull_s16(vget_low_s16(s), vget_low_s16(w)), vmull_high_s16(s, w)));
  }
  static Lanes16<8> pack(Lanes32<4> a, Lanes32<4> b) {
    return Lanes16<8>(vqmovn_high_s32(vqmovn_s32(int32x4_t(a)), int32x4_t(b)));
  }
  static void store_codes(char* at, Lanes16<8> words, bool all) {
    const auto codes = __builtin_convertvector(words, Lanes8<8>);
    std::memcpy(at, &codes, all ? 8 : 4);
  }
};

#include "fixed_kernels.inl"

}  // namespace
}  // namespace ristretto
RISTRETTO_TARGET_END

namespace ristretto {

const FixedKernels* fixed_kernels_neon_dot() {
  static constexpr FixedKernels kernels = make_fixed_kernels<NeonDot>(
      "neon_dot", [](const CpuFeatures& features) { return features.neon_dot; }, INT_MAX, true);
  return &kernels;
}

}  // namespace ristretto

#else

namespace ristretto {
const FixedKernels* fixed_kernels_neon_dot() { return nullptr; }
}  // namespace ristretto

#endif
