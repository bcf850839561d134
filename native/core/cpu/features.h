// Which instruction sets the kernels may use: what the processor has, cut down to what the user allows.
#pragma once

#include <string>

namespace ristretto {

struct CpuFeatures {
  bool avx2 = false;         // AVX2 + FMA + F16C
  bool avx_vnni = false;     // 256-bit vpdpbusd without AVX-512
  bool avx512 = false;       // F, BW, DQ, VL
  bool avx512_vnni = false;  // 512-bit vpdpbusd
  bool neon = false;
  bool neon_dot = false;
  bool reference_only = false;  // every op runs its definition: nothing of the above counts then
};

// What this processor and operating system offer.
CpuFeatures detect_cpu_features();

// The detected features limited to a named level: "auto", "portable", "avx2", "avx_vnni", "avx512",
// "avx512_vnni", "neon", "neon_dot", "ref". Throws for an unknown name and for a level that this machine
// lacks.
CpuFeatures limit_cpu_features(const std::string& level);

}  // namespace ristretto
