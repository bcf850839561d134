#include "core/op/range.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_range() {
  using A = RangeArguments;
  return bind<Range>("range", {
                                  tensor("src", &A::src),
                                  tensor("extremes", &A::extremes),
                                  optional_tensor("counts", &A::counts),
                                  optional_tensor("exponents", &A::exponents),
                                  trim_format("format", &A::format),
                                  boolean("accumulate", &A::accumulate),
                              });
}

}  // namespace ristretto::binding
