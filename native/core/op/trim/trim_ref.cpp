#include <algorithm>

#include "../../format/dynamic_fixed_point.h"
#include "../../format/minifloat.h"
#include "../../format/power_of_two.h"
#include "trim.h"

namespace ristretto {
namespace {

// trim(x, word) of every element, with the element's random word where the rounding asks for one.
template <class ScalarTrim>
bool trim_each(const float* in, float* out, int64_t count, Rounding rounding, const RandomStream& random,
               const ScalarTrim& trim) {
  const bool stochastic = rounding == Rounding::stochastic;
  PhiloxBlock words = {};
  bool numbers = true;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t element = random.first_element + uint64_t(i);
    if (stochastic && (i == 0 || (element & 3) == 0)) words = random_words(random, element >> 2);
    const float x = in[i];
    numbers &= !is_nan_bits(bits_of(x));
    out[i] = trim(x, words.word[element & 3]);
  }
  return numbers;
}

}  // namespace

bool trim_span_ref(const float* in, float* out, int64_t count, const TrimFormat& format,
                   const RandomStream& random) {
  switch (format.kind) {
    case FormatKind::dynamic_fixed_point:
      return trim_each(in, out, count, format.rounding, random,
                       [parameters = dynamic_fixed_point(format)](float x, uint32_t word) {
                         return dynamic_fixed_point_trim(x, parameters, word);
                       });
    case FormatKind::minifloat:
      return trim_each(in, out, count, format.rounding, random,
                       [parameters = minifloat(format)](float x, uint32_t word) {
                         return minifloat_trim(x, parameters, word);
                       });
    case FormatKind::integer_power_of_two:
      return trim_each(in, out, count, format.rounding, random,
                       [parameters = power_of_two(format)](float x, uint32_t word) {
                         return power_of_two_trim(x, parameters, word);
                       });
    case FormatKind::none:
      break;
  }
  if (in != out) std::copy_n(in, count, out);
  return true;
}

}  // namespace ristretto
