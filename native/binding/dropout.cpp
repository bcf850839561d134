#include "core/op/dropout.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_dropout() {
  using A = DropoutArguments;
  return bind<Dropout>("dropout", {
                                      tensor("src", &A::src),
                                      tensor("dst", &A::dst),
                                      number("ratio", &A::ratio, true),
                                      random_stream("random", &A::random),
                                  });
}

}  // namespace ristretto::binding
