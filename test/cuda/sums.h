// How the sums of a device are compared with those of a definition.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "../native/check.h"

namespace cases {

// Whole numbers sum exactly in any order. Of others, a sum of the device is off from its exact value by what
// the roundings of its additions make, which stays far below 1e-5 of the sum of magnitudes at these depths.
inline void check_sums(bool whole, const guarded::vector<float>& actual,
                       const guarded::vector<float>& expected, const guarded::vector<float>& magnitude,
                       const std::string& what) {
  CHECK_EQUAL(actual.size(), expected.size(), what);
  for (size_t i = 0; i < actual.size(); ++i) {
    if (whole)
      CHECK_EQUAL(actual[i], expected[i], "element ", i, " ", what);
    else
      CHECK(std::fabs(actual[i] - expected[i]) <= 1e-5 * (std::fabs(magnitude[i]) + 1e-6), "element ", i,
            ": ", actual[i], " for ", expected[i], " ", what);
  }
}

}  // namespace cases
