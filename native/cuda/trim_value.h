// A trim of one value in a kernel's epilogue, whatever the format: for results on their way to memory.
#pragma once

#include "context.h"
#include "core/format/dynamic_fixed_point.h"
#include "core/format/minifloat.h"
#include "core/format/power_of_two.h"

namespace ristretto::cuda {

struct ValueTrim {
  FormatKind kind = FormatKind::none;
  Rounding rounding = Rounding::half_away_from_zero;
  DynamicFixedPoint fixed_point = {};
  Minifloat minifloat = {};
  PowerOfTwo power_of_two = {};
  RandomStream random;
  NanReport report = {};
};

inline ValueTrim value_trim(const Context& context, const TrimFormat& format, const RandomStream& random) {
  ValueTrim trim;
  trim.kind = format.kind;
  trim.rounding = format.rounding;
  if (format.kind == FormatKind::dynamic_fixed_point) trim.fixed_point = dynamic_fixed_point(format);
  if (format.kind == FormatKind::minifloat) trim.minifloat = minifloat(format);
  if (format.kind == FormatKind::integer_power_of_two) trim.power_of_two = power_of_two(format);
  trim.random = random;
  trim.report = context.nan_report();
  return trim;
}

// `element` counts from the tensor's first on.
RISTRETTO_DEVICE float trim_value(float x, const ValueTrim& trim, uint64_t element) {
  if (is_nan_bits(bits_of(x))) {
    trim.report.tell();
    return x;
  }
  const uint32_t word = trim.rounding == Rounding::stochastic
                            ? random_word(trim.random, trim.random.first_element + element)
                            : 0;
  if (trim.kind == FormatKind::dynamic_fixed_point)
    return dynamic_fixed_point_trim(x, trim.fixed_point, word);
  if (trim.kind == FormatKind::minifloat) return minifloat_trim(x, trim.minifloat, word);
  return power_of_two_trim(x, trim.power_of_two, word);
}

}  // namespace ristretto::cuda
