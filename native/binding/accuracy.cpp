#include "core/op/accuracy.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_accuracy() {
  using A = AccuracyArguments;
  return bind<Accuracy>("accuracy", {
                                        tensor("src", &A::src),
                                        tensor("labels", &A::labels),
                                        tensor("dst", &A::dst),
                                        optional_tensor("perClass", &A::per_class),
                                        integer("axis", &A::axis, true, 0),
                                        integer("topK", &A::top_k, true, 1),
                                        boolean("ignores", &A::ignores),
                                        integer("ignored", &A::ignored),
                                    });
}

}  // namespace ristretto::binding
