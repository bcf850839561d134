#include "core/op/prelu.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_prelu() {
  using A = PreluArguments;
  return bind<Prelu>("prelu", {
                                  tensor("src", &A::src),
                                  tensor("dst", &A::dst),
                                  tensor("slope", &A::slope),
                              });
}

}  // namespace ristretto::binding
