#include "fixed_step.h"

namespace ristretto {

std::optional<FixedStep> make_fixed_step(const Requantise& r) {
  FixedStep step;
  step.low = r.low;
  step.high = r.high;
  if (r.shift < 0 || r.shift > 30) return std::nullopt;
  if (r.shift == 0) return step;
  const int32_t half = int32_t{1} << (r.shift - 1);
  step.right = r.shift;
  switch (r.rounding) {
    case Rounding::half_away_from_zero:  // half, and one less for negative numbers, whose shift rounds down
      step.add = half;
      step.sign_shift = 31;
      step.mask = -1;
      return step;
    case Rounding::half_to_even:  // just below half, and one more where the kept part is odd
      step.add = half - 1;
      step.sign_shift = r.shift;
      step.mask = 1;
      return step;
    case Rounding::half_up:
      step.add = half;
      return step;
    case Rounding::floor:
      return step;
    default:
      return std::nullopt;
  }
}

std::optional<FixedStep> make_fixed_code_step(const Requantise& r) {
  if (r.shift >= 0) return make_fixed_step(r);
  if (r.shift < -15) return std::nullopt;
  FixedStep step;
  step.left = -r.shift;
  step.low = r.low;
  step.high = r.high;
  return step;
}

std::optional<QuickStore> make_quick_store(const FixedStore& s) {
  if (s.type != DataType::i8 || s.output.high > INT8_MAX) return std::nullopt;
  QuickStore quick;
  quick.right = s.output.right;
  quick.high = s.output.high;
  if (s.has_consumer) {
    // Codes of 8 bits must stay within 16, and of codes that are never negative only evenness would look
    // twice.
    const FixedStep& c = s.consumer;
    if (c.mask > 0 || c.left > 8 || c.right > 14) return std::nullopt;
    quick.has_consumer = true;
    quick.consumer = {c.left, c.right, c.add, c.high};
  }
  return quick;
}

}  // namespace ristretto
