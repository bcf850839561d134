// Rounding rules by name (docs/numerics.md, 2), on a magnitude cut into what is kept and what is dropped.
#pragma once

#include <cstdint>

#include "enum_names.h"
#include "host_device.h"

namespace ristretto {

// Every name carries its tie rule.
enum class Rounding : uint8_t { half_away_from_zero, half_to_even, half_up, floor, stochastic };

template <>
inline constexpr auto names_of<Rounding> =
    enum_names<Rounding>("Rounding", {{"halfAwayFromZero", Rounding::half_away_from_zero},
                                      {"halfToEven", Rounding::half_to_even},
                                      {"halfUp", Rounding::half_up},
                                      {"floor", Rounding::floor},
                                      {"stochastic", Rounding::stochastic}});

// Rounds the magnitude kept + f, 0 <= f < 1, of a number whose sign is `negative`, to `kept` or `kept` + 1.
// `fraction` is floor(f * 2^32); `inexact` says whether f has anything below that. `word` is the element's
// random word and matters to the stochastic rule alone.
RISTRETTO_HOST_DEVICE uint64_t round_magnitude(uint64_t kept, uint32_t fraction, bool inexact, bool negative,
                                               Rounding rounding, uint32_t word) {
  const uint32_t half = 0x80000000u;
  bool up = false;
  switch (rounding) {
    case Rounding::half_away_from_zero:
      up = fraction >= half;
      break;
    case Rounding::half_to_even:
      up = fraction > half || (fraction == half && (inexact || (kept & 1)));
      break;
    case Rounding::half_up:  // a negative tie goes up, which makes its magnitude smaller
      up = fraction > half || (fraction == half && (inexact || !negative));
      break;
    case Rounding::floor:
      up = negative && (fraction != 0 || inexact);
      break;
    case Rounding::stochastic:
      up = word < fraction;
      break;
  }
  return kept + (up ? 1 : 0);
}

}  // namespace ristretto
