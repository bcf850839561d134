#include "rates.h"

#include <atomic>
#include <cstring>
#include <string>

#include "clock.h"
#include "core/cpu/target.h"

#if defined(__x86_64__)
#include "core/cpu/intrinsics.h"
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace ristretto::bench {
namespace {

constexpr int kChains = 12;  // more than latency times width, fewer than the registers
constexpr int64_t kRounds = 100000;

// What every loop needs to be found.
struct NamedLoop {
  const char* row;  // of ConvolutionFixed
  bool words;
  bool (*available)(const CpuFeatures& features);
  RegisterLoop loop;
};

#if defined(__x86_64__)

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512_VNNI)
namespace avx512_vnni {
struct Vector {
  using Register = __m512i;
  static Register start(int i) { return _mm512_set1_epi32(i); }
  static int64_t first(Register r) { return _mm_cvtsi128_si32(_mm512_castsi512_si128(r)); }
};
struct Bytes : Vector {
  static Register step(Register sum, Register a, Register b) { return _mm512_dpbusd_epi32(sum, a, b); }
};
struct Words : Vector {
  static Register step(Register sum, Register a, Register b) { return _mm512_dpwssd_epi32(sum, a, b); }
};
#include "register_loop.inl"
}  // namespace avx512_vnni
RISTRETTO_TARGET_END

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
namespace avx512 {
struct Vector {
  using Register = __m512i;
  static Register start(int i) { return _mm512_set1_epi32(i); }
  static int64_t first(Register r) { return _mm_cvtsi128_si32(_mm512_castsi512_si128(r)); }
};
struct Bytes : Vector {
  static Register step(Register sum, Register a, Register b) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(sum, b), a));
  }
};
struct Words : Vector {
  static Register step(Register sum, Register, Register b) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(sum, b));
  }
};
struct Floats {
  using Register = __m512;
  static Register start(int i) { return _mm512_set1_ps(0.3f * float(i)); }
  static Register step(Register sum, Register a, Register b) { return _mm512_fmadd_ps(sum, a, b); }
  static int64_t first(Register r) { return int64_t(_mm_cvtss_f32(_mm512_castps512_ps128(r))); }
};
#include "register_loop.inl"
struct Words64 : Vector {
  static Register zero() { return _mm512_setzero_si512(); }
  static Register load(const char* at) { return _mm512_loadu_si512(at); }
  static Register add(Register x, Register y) { return _mm512_add_epi64(x, y); }
};
#include "read_loop.inl"
}  // namespace avx512
RISTRETTO_TARGET_END

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX_VNNI)
namespace avx_vnni {
struct Vector {
  using Register = __m256i;
  static Register start(int i) { return _mm256_set1_epi32(i); }
  static int64_t first(Register r) { return _mm256_extract_epi32(r, 0); }
};
struct Bytes : Vector {
  static Register step(Register sum, Register a, Register b) { return _mm256_dpbusd_avx_epi32(sum, a, b); }
};
struct Words : Vector {
  static Register step(Register sum, Register a, Register b) { return _mm256_dpwssd_avx_epi32(sum, a, b); }
};
#include "register_loop.inl"
}  // namespace avx_vnni
RISTRETTO_TARGET_END

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace avx2 {
struct Vector {
  using Register = __m256i;
  static Register start(int i) { return _mm256_set1_epi32(i); }
  static int64_t first(Register r) { return _mm256_extract_epi32(r, 0); }
};
struct Bytes : Vector {
  static Register step(Register sum, Register a, Register b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(sum, b), a));
  }
};
struct Words : Vector {
  static Register step(Register sum, Register, Register b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(sum, b));
  }
};
struct Floats {
  using Register = __m256;
  static Register start(int i) { return _mm256_set1_ps(0.3f * float(i)); }
  static Register step(Register sum, Register a, Register b) { return _mm256_fmadd_ps(sum, a, b); }
  static int64_t first(Register r) { return int64_t(_mm_cvtss_f32(_mm256_castps256_ps128(r))); }
};
#include "register_loop.inl"
struct Words64 : Vector {
  static Register zero() { return _mm256_setzero_si256(); }
  static Register load(const char* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }
  static Register add(Register x, Register y) { return _mm256_add_epi64(x, y); }
};
#include "read_loop.inl"
}  // namespace avx2
RISTRETTO_TARGET_END

#elif defined(__aarch64__)

RISTRETTO_TARGET_BEGIN(RISTRETTO_NEON_DOT)
namespace neon_dot {
struct Bytes {
  using Register = int32x4_t;
  static Register start(int i) { return vdupq_n_s32(i); }
  static int64_t first(Register r) { return vgetq_lane_s32(r, 0); }
  static Register step(Register sum, Register a, Register b) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
};
#include "register_loop.inl"
}  // namespace neon_dot
RISTRETTO_TARGET_END

namespace neon {
struct Floats {
  using Register = float32x4_t;
  static Register start(int i) { return vdupq_n_f32(0.3f * float(i)); }
  static Register step(Register sum, Register a, Register b) { return vfmaq_f32(b, sum, a); }
  static int64_t first(Register r) { return int64_t(vgetq_lane_f32(r, 0)); }
};
#include "register_loop.inl"
}  // namespace neon

#endif

namespace portable {
struct Floats {
  typedef float Register __attribute__((vector_size(16)));
  static Register start(int i) { return Register{} + 0.3f * float(i); }
  static Register step(Register sum, Register a, Register b) { return sum * a + b; }
  static int64_t first(Register r) { return int64_t(r[0]); }
};
#include "register_loop.inl"
struct Words64 {
  typedef uint64_t Register __attribute__((vector_size(16)));
  static Register zero() { return Register{}; }
  static Register load(const char* at) {
    Register words;
    std::memcpy(&words, at, sizeof words);
    return words;
  }
  static Register add(Register x, Register y) { return x + y; }
  static int64_t first(Register r) { return int64_t(r[0]); }
};
#include "read_loop.inl"
}  // namespace portable

// With the widest vectors that the machine has, whatever the context is limited to. What is left behind the
// last whole block of eight is too little to matter.
int64_t read_words(const char* at, int64_t bytes) {
#if defined(__x86_64__)
  static const CpuFeatures machine = detect_cpu_features();
  if (machine.avx512) return avx512::read_loop<avx512::Words64>(at, bytes / (8 * 64));
  if (machine.avx2) return avx2::read_loop<avx2::Words64>(at, bytes / (8 * 32));
#endif
  return portable::read_loop<portable::Words64>(at, bytes / (8 * 16));
}

constexpr int64_t kGrain = 64 << 10;  // bytes one thread takes at least

}  // namespace

const RegisterLoop* fixed_loop(const char* row, bool words, const CpuFeatures& features) {
#if defined(__x86_64__)
  static const NamedLoop loops[] = {
      {"avx512_vnni", false, [](const CpuFeatures& f) { return f.avx512_vnni; },
       avx512_vnni::loop_of<avx512_vnni::Bytes>("vpdpbusd zmm", 64)},
      {"avx512_vnni", true, [](const CpuFeatures& f) { return f.avx512_vnni; },
       avx512_vnni::loop_of<avx512_vnni::Words>("vpdpwssd zmm", 32)},
      {"avx_vnni", false, [](const CpuFeatures& f) { return f.avx_vnni; },
       avx_vnni::loop_of<avx_vnni::Bytes>("vpdpbusd ymm", 32)},
      {"avx_vnni", true, [](const CpuFeatures& f) { return f.avx_vnni; },
       avx_vnni::loop_of<avx_vnni::Words>("vpdpwssd ymm", 16)},
      {"avx512", false, [](const CpuFeatures& f) { return f.avx512; },
       avx512::loop_of<avx512::Bytes>("vpmaddubsw + vpmaddwd + vpaddd zmm", 64)},
      {"avx512", true, [](const CpuFeatures& f) { return f.avx512; },
       avx512::loop_of<avx512::Words>("vpmaddwd + vpaddd zmm", 32)},
      {"avx2", false, [](const CpuFeatures& f) { return f.avx2; },
       avx2::loop_of<avx2::Bytes>("vpmaddubsw + vpmaddwd + vpaddd ymm", 32)},
      {"avx2", true, [](const CpuFeatures& f) { return f.avx2; },
       avx2::loop_of<avx2::Words>("vpmaddwd + vpaddd ymm", 16)},
  };
#elif defined(__aarch64__)
  static const NamedLoop loops[] = {
      {"neon_dot", false, [](const CpuFeatures& f) { return f.neon_dot; },
       neon_dot::loop_of<neon_dot::Bytes>("sdot", 16)},
  };
#else
  static const NamedLoop loops[] = {{"", false, [](const CpuFeatures&) { return false; }, {}}};
#endif
  for (const NamedLoop& named : loops)
    if (named.words == words && std::string(named.row) == row && named.available(features))
      return &named.loop;
  return nullptr;
}

const RegisterLoop& float_loop([[maybe_unused]] const CpuFeatures& features) {
#if defined(__x86_64__)
  static const RegisterLoop wide = avx512::loop_of<avx512::Floats>("vfmadd zmm", 16);
  static const RegisterLoop narrow = avx2::loop_of<avx2::Floats>("vfmadd ymm", 8);
  if (features.avx512) return wide;
  if (features.avx2) return narrow;
#elif defined(__aarch64__)
  static const RegisterLoop neon_loop = neon::loop_of<neon::Floats>("fmla", 4);
  if (features.neon) return neon_loop;
#endif
  static const RegisterLoop plain = portable::loop_of<portable::Floats>("multiply, add", 4);
  return plain;
}

void copy_memory(Context& context, const void* src, void* dst, int64_t bytes) {
  context.pool.for_range(bytes, kGrain, [&](int64_t begin, int64_t end, int) {
    std::memcpy(static_cast<char*>(dst) + begin, static_cast<const char*>(src) + begin, size_t(end - begin));
  });
}

int64_t read_memory(Context& context, const void* src, int64_t bytes) {
  std::atomic<int64_t> total{0};
  context.pool.for_range(bytes, kGrain, [&](int64_t begin, int64_t end, int) {
    total += read_words(static_cast<const char*>(src) + begin, end - begin);
  });
  return total;
}

double seconds_of(Context& context, const RegisterLoop& loop) {
  // Short runs, of which the best had every thread awake and the processor to itself.
  constexpr int kRuns = 8;
  std::atomic<int64_t> keep{0};
  Best best;
  for (int run = 0; run < kRuns; ++run) {
    const double start = now();
    context.pool.run(context.pool.threads(), [&](int64_t, int) { keep += loop.run(); });
    best.add(now() - start);
  }
  return best.seconds;
}

}  // namespace ristretto::bench
