#include "core/op/contrastive_loss.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_contrastive_loss() {
  using A = ContrastiveLossArguments;
  return bind<ContrastiveLoss>("contrastiveLoss", {
                                                      tensor("a", &A::a),
                                                      tensor("b", &A::b),
                                                      tensor("similar", &A::similar),
                                                      tensor("dst", &A::dst),
                                                      number("margin", &A::margin, true),
                                                      boolean("legacy", &A::legacy),
                                                  });
}

}  // namespace ristretto::binding
