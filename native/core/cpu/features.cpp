#include "features.h"

#include "../error.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace ristretto {

CpuFeatures detect_cpu_features() {
  CpuFeatures f;
#if defined(RISTRETTO_EMULATE_X86)
  f.avx2 = f.avx_vnni = f.avx512 = f.avx512_vnni = true;
#elif defined(__x86_64__)
  __builtin_cpu_init();
  f.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  f.avx512 = f.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  f.avx512_vnni = f.avx512 && __builtin_cpu_supports("avx512vnni");
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
  f.avx_vnni = f.avx2 && __builtin_cpu_supports("avxvnni");
#endif
#elif defined(__aarch64__)
  f.neon = true;
#if defined(__linux__)
  f.neon_dot = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__APPLE__)
  f.neon_dot = true;
#endif
#endif
  return f;
}

CpuFeatures limit_cpu_features(const std::string& level) {
  const CpuFeatures have = detect_cpu_features();
  CpuFeatures want;
  if (level == "auto" || level.empty()) return have;
  if (level == "portable") return want;
  if (level == "ref") {
    want.reference_only = true;
    return want;
  }
  if (level == "neon" || level == "neon_dot") {
    want.neon = true;
    want.neon_dot = level == "neon_dot";
    require(have.neon && (have.neon_dot || !want.neon_dot), "this processor has no ", level);
    return want;
  }
  want.avx2 = true;
  bool available = have.avx2;
  if (level == "avx_vnni") {
    want.avx_vnni = true;
    available = have.avx_vnni;
  } else if (level == "avx512" || level == "avx512_vnni") {
    want.avx512 = true;
    want.avx512_vnni = level == "avx512_vnni";
    available = have.avx512 && (have.avx512_vnni || !want.avx512_vnni);
  } else {
    require(level == "avx2", "unknown instruction set '", level,
            "': use auto, portable, avx2, avx_vnni, avx512, avx512_vnni, neon, neon_dot or ref");
  }
  require(available, "this processor has no ", level);
  return want;
}

}  // namespace ristretto
