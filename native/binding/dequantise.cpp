#include "core/op/quantise.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_dequantise() {
  using A = Dequantise::Arguments;
  return bind<Dequantise>("dequantise",
                          {
                              codes("src", &A::src),
                              tensor("dst", &A::dst),
                              integer("fractionalLength", &A::fractional_length, true, -126, 126),
                          });
}

}  // namespace ristretto::binding
