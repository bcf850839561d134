#include "core/op/contrastive_loss_gradient.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_contrastive_loss_gradient() {
  using A = ContrastiveLossGradientArguments;
  return bind<ContrastiveLossGradient>("contrastiveLossGradient", {
                                                                      tensor("a", &A::a),
                                                                      tensor("b", &A::b),
                                                                      tensor("similar", &A::similar),
                                                                      tensor("dstDiff", &A::dst_diff),
                                                                      optional_tensor("aDiff", &A::a_diff),
                                                                      optional_tensor("bDiff", &A::b_diff),
                                                                      number("margin", &A::margin),
                                                                      boolean("legacy", &A::legacy),
                                                                  });
}

}  // namespace ristretto::binding
