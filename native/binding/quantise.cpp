#include "core/op/quantise.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_quantise() {
  using A = Quantise::Arguments;
  return bind<Quantise>("quantise", {
                                        tensor("src", &A::src),
                                        codes("dst", &A::dst),
                                        code_format("format", &A::format),
                                        rounding("rounding", &A::rounding),
                                    });
}

}  // namespace ristretto::binding
