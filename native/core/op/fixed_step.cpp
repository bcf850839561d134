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

std::optional<QuickStore> make_quick_store(const FixedEpilogue& e, DataType dst) {
  if (!e.relu || e.sum_shift != 0 || dst != DataType::i8) return std::nullopt;
  QuickStore store;
  // Of numbers that are not negative: the rules differ at ties alone, where only evenness needs a second
  // look.
  const auto step = [](const FixedStep& s) { return QuickStore::Step{s.left, s.right, s.add, s.high}; };
  const FixedStep output = *make_fixed_step(e.output);
  if (output.mask > 0) return std::nullopt;
  store.output = step(output);
  store.has_consumer = e.has_consumer;
  if (e.has_consumer) {
    const FixedStep consumer = *make_fixed_code_step(e.consumer);
    // Codes of 8 bits must stay within 16.
    if (consumer.mask > 0 || consumer.left > 8 || consumer.right > 14) return std::nullopt;
    store.consumer = step(consumer);
  }
  return store;
}

}  // namespace ristretto
