#include "core/op/loss_gradient.h"

#include "loss_fields.h"

namespace ristretto::binding {

BoundOp bind_pair_loss_gradient() {
  using A = PairLossGradientArguments;
  return bind<PairLossGradient>("pairLossGradient",
                                {
                                    tensor("src", &A::src),
                                    tensor("target", &A::target),
                                    tensor("dstDiff", &A::dst_diff),
                                    optional_tensor("srcDiff", &A::src_diff),
                                    optional_tensor("targetDiff", &A::target_diff),
                                    pair_loss_kind("kind", &A::kind),
                                    loss_normalization("normalization", &A::normalization),
                                    boolean("ignores", &A::ignores),
                                    integer("ignored", &A::ignored),
                                });
}

}  // namespace ristretto::binding
