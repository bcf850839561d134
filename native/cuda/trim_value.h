// A trim of one value in a kernel's epilogue, whatever the format: for results on their way to memory.
// Nearest rounding to fixed point and to minifloats takes the dozen operations of the processor's vectors
// (core/cpu/trim_lanes.inl); what is rare takes the definition.
#pragma once

#include "context.h"
#include "core/format/dynamic_fixed_point.h"
#include "core/format/minifloat.h"
#include "core/format/power_of_two.h"
#include "scalar_lanes.h"

namespace ristretto::cuda {

namespace value_trim {
#include "core/cpu/trim_lanes.inl"
}  // namespace value_trim

struct ValueTrim {
  using FixedPointAway = value_trim::DynamicFixedPointLanes<ScalarLanes, Rounding::half_away_from_zero>;
  using FixedPointEven = value_trim::DynamicFixedPointLanes<ScalarLanes, Rounding::half_to_even>;
  using MinifloatAway = value_trim::MinifloatLanes<ScalarLanes, Rounding::half_away_from_zero>;
  using MinifloatEven = value_trim::MinifloatLanes<ScalarLanes, Rounding::half_to_even>;

  ValueTrim() : ValueTrim(TrimFormat(), RandomStream(), NanReport()) {}
  // Of a format whose parameters are within their limits.
  ValueTrim(const TrimFormat& format, const RandomStream& random, const NanReport& report)
      : format(format),
        fixed_point_away(format),
        fixed_point_even(format),
        minifloat_away(format),
        minifloat_even(format),
        random(random),
        report(report) {}

  TrimFormat format;
  FixedPointAway fixed_point_away;
  FixedPointEven fixed_point_even;
  MinifloatAway minifloat_away;
  MinifloatEven minifloat_even;
  RandomStream random;
  NanReport report;
};

// `element` counts from the tensor's first on.
RISTRETTO_DEVICE float trim_value(float x, const ValueTrim& trim, uint64_t element) {
  if (is_nan_bits(bits_of(x))) {
    trim.report.tell();
    return x;
  }
  const Rounding rounding = trim.format.rounding;
  if (trim.format.kind == FormatKind::dynamic_fixed_point) {
    if (rounding == Rounding::half_away_from_zero) return trim.fixed_point_away(x, 0);
    if (rounding == Rounding::half_to_even) return trim.fixed_point_even(x, 0);
  } else if (trim.format.kind == FormatKind::minifloat) {
    if (rounding == Rounding::half_away_from_zero) return trim.minifloat_away(x, 0);
    if (rounding == Rounding::half_to_even) return trim.minifloat_even(x, 0);
  }
  const uint32_t word =
      rounding == Rounding::stochastic ? random_word(trim.random, trim.random.first_element + element) : 0;
  if (trim.format.kind == FormatKind::dynamic_fixed_point)
    return dynamic_fixed_point_trim(x, dynamic_fixed_point(trim.format), word);
  if (trim.format.kind == FormatKind::minifloat) return minifloat_trim(x, minifloat(trim.format), word);
  return power_of_two_trim(x, power_of_two(trim.format), word);
}

}  // namespace ristretto::cuda
