#include "core/op/requantise.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_requantise() {
  using A = RequantiseCodes::Arguments;
  return bind<RequantiseCodes>("requantise",
                               {
                                   codes("src", &A::src),
                                   codes("dst", &A::dst),
                                   integer("srcFractionalLength", &A::src_fractional_length, true, -126, 126),
                                   code_format("format", &A::format),
                                   rounding("rounding", &A::rounding),
                                   boolean("relu", &A::relu),
                               });
}

}  // namespace ristretto::binding
