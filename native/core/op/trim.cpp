#include "trim.h"

#include <algorithm>
#include <cmath>

namespace ristretto {

// Dynamic fixed point, ties away from zero.
bool trim_span(const float* in, float* out, int64_t count, const TrimFormat& format, const RandomStream&,
               const CpuFeatures&) {
  if (!format) {
    if (in != out) std::copy_n(in, count, out);
    return true;
  }
  require(format.kind == FormatKind::dynamic_fixed_point && format.rounding == Rounding::half_away_from_zero,
          "this number format is not built in");
  const double unit = std::ldexp(1.0, format.fractional_length), limit = std::ldexp(1.0, format.bit_width - 1);
  bool numbers = true;
  for (int64_t i = 0; i < count; ++i) {
    numbers &= in[i] == in[i];
    out[i] = float(std::clamp(std::round(in[i] * unit), -limit, limit - 1) / unit);
  }
  return numbers;
}

}  // namespace ristretto
