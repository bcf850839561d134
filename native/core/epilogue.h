// What happens to an exact integer sum before it is stored (docs/numerics.md, 6): bias, rounding shift,
// saturation, ReLU, and the consumer's second requantisation. One definition for host and device.
#pragma once

#include <cstdint>

#include "format/dynamic_fixed_point.h"
#include "host_device.h"
#include "rounding.h"

namespace ristretto {

// A dynamic fixed-point format of codes: bit_width 1..16 here, sign included.
struct CodeFormat {
  int bit_width = 8;
  int fractional_length = 0;
};

// code = saturate(round(x * 2^-shift)): a rounding right shift, or an exact left shift where shift is
// negative.
struct Requantise {
  int shift = 0;
  int32_t low = -128, high = 127;
  Rounding rounding = Rounding::half_away_from_zero;  // not stochastic
};

// From codes (or sums) of fractional length `from` to codes of `to`.
RISTRETTO_HOST_DEVICE Requantise make_requantise(int from, const CodeFormat& to, Rounding rounding) {
  const DynamicFixedPoint format = dynamic_fixed_point(to.bit_width, to.fractional_length, rounding);
  return {from - to.fractional_length, int32_t(format.low), int32_t(format.high), rounding};
}

// |x| is at most 2^63 - 1. Shifts by 64 and more are defined.
RISTRETTO_HOST_DEVICE int64_t requantise(int64_t x, const Requantise& r) {
  const bool negative = x < 0;
  uint64_t magnitude = negative ? uint64_t{0} - uint64_t(x) : uint64_t(x);
  if (r.shift > 0) {
    const int s = r.shift;
    const uint64_t kept = s < 64 ? magnitude >> s : 0;
    const uint64_t rest = s < 64 ? magnitude - (kept << s) : magnitude;
    // The fraction's first 32 bits, and whether anything follows them.
    const uint32_t fraction = s <= 32       ? uint32_t(rest << (32 - s))
                              : s - 32 < 64 ? uint32_t(rest >> (s - 32))
                                            : 0;
    const bool inexact = s > 32 && (s - 32 >= 64 ? rest != 0 : (uint64_t{fraction} << (s - 32)) != rest);
    magnitude = round_magnitude(kept, fraction, inexact, negative, r.rounding, 0);
  } else if (magnitude != 0) {
    const int s = -r.shift;
    // Codes have at most 16 bits: 2^31 is beyond all of them.
    magnitude = s > 31 || magnitude > (uint64_t{1} << 31) ? uint64_t{1} << 31 : magnitude << s;
  }
  if (magnitude > uint64_t{1} << 31) magnitude = uint64_t{1} << 31;
  const int64_t code = negative ? -int64_t(magnitude) : int64_t(magnitude);
  return code < r.low ? r.low : code > r.high ? r.high : code;
}

// Of a convolution or inner product: acc = (sum << sum_shift) + (bias << bias_shift), then `output`, a ReLU,
// then, for a consumer whose input format differs, `consumer`: two roundings, in that order.
struct FixedEpilogue {
  int sum_shift = 0, bias_shift = 0;  // one of them is 0
  Requantise output;
  bool relu = false;
  bool has_consumer = false;
  Requantise consumer;
};

RISTRETTO_HOST_DEVICE FixedEpilogue make_epilogue(int src_fractional_length, int weights_fractional_length,
                                                  const CodeFormat& output, Rounding rounding, bool relu) {
  FixedEpilogue e;
  e.sum_shift = src_fractional_length < 0 ? -src_fractional_length : 0;
  e.bias_shift = src_fractional_length > 0 ? src_fractional_length : 0;
  // Shifted left by -fl_in, the sum has the weights' fractional length.
  e.output = make_requantise(weights_fractional_length + e.bias_shift, output, rounding);
  e.relu = relu;
  return e;
}

// The bound of fixed_bound() holds for `sum` and `bias`, so nothing here overflows.
RISTRETTO_HOST_DEVICE int64_t apply_epilogue(int64_t sum, int64_t bias, const FixedEpilogue& e) {
  // Multiplied, not shifted: both may be negative. A shift of 63 and more occurs with zeros alone.
  const int64_t acc = (sum == 0 ? 0 : sum * (int64_t{1} << e.sum_shift)) +
                      (bias == 0 ? 0 : bias * (int64_t{1} << e.bias_shift));
  int64_t code = requantise(acc, e.output);
  if (e.relu && code < 0) code = 0;
  return e.has_consumer ? requantise(code, e.consumer) : code;
}

}  // namespace ristretto
