// range: what calibration and reports want to know of a tensor's values, in one pass over it.
#pragma once

#include <cstdint>
#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../format/trim_format.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct RangeArguments {
  Tensor src;
  // float32 (3): least, greatest, largest magnitude. NaNs do not count, infinities do; with no number at all
  // they are +inf, -inf and 0.
  Tensor extremes;
  // int32 (3), or empty: NaNs, infinities, elements that `format` saturates (rounded by its rule, by half
  // away from zero where that is stochastic, they exceed the format's range; 0 without a format).
  Tensor counts;
  // int32 (256), or empty: elements by float32's biased exponent: [0] zeros and denormals, [127] magnitudes
  // from 1 to 2, [255] infinities and NaNs.
  Tensor exponents;
  TrimFormat format;
  bool accumulate = false;  // add to what the results hold; counts stop at 2^31 - 1

  template <class F>
  static void fields(F& field) {
    using A = RangeArguments;
    field("src", &A::src);
    field("extremes", &A::extremes).doc("float32, 3: least, greatest, largest magnitude of the numbers.");
    field("counts", &A::counts).optional().doc("int32, 3: NaNs, infinities, values that `format` saturates.");
    field("exponents", &A::exponents).optional().doc("int32, 256: values by float32's biased exponent.");
    field("format", &A::format);
    field("accumulate", &A::accumulate).doc("Adds to what the results hold.");
  }
};

struct Range {
  using Arguments = RangeArguments;
  static constexpr const char* name = "range";
  static constexpr const char* doc = "Range analysis.";
  // Throws Error when a result has another type or size.
  static void check(const Arguments& arguments);
  // On all of the context's threads; results do not depend on their number.
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

// The numbers that `format` does not saturate: from `low` to `high`.
struct UnsaturatedRange {
  float low, high;
};
UnsaturatedRange unsaturated_range(const TrimFormat& format);

}  // namespace ristretto
