#include "core/op/loss.h"

#include "loss_fields.h"

namespace ristretto::binding {

BoundOp bind_pair_loss() {
  using A = PairLossArguments;
  return bind<PairLoss>("pairLoss", {
                                        tensor("src", &A::src),
                                        tensor("target", &A::target),
                                        tensor("dst", &A::dst),
                                        pair_loss_kind("kind", &A::kind),
                                        loss_normalization("normalization", &A::normalization),
                                        boolean("ignores", &A::ignores),
                                        integer("ignored", &A::ignored),
                                    });
}

}  // namespace ristretto::binding
