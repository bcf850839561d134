#include "core/op/mvn.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_mvn() {
  using A = MvnArguments;
  return bind<Mvn>("mvn", {
                              tensor("src", &A::src),
                              tensor("dst", &A::dst),
                              integer("rows", &A::rows, true, 1),
                              boolean("normalizeVariance", &A::normalize_variance),
                              number("eps", &A::eps, true),
                          });
}

}  // namespace ristretto::binding
