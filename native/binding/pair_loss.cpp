#include "core/op/loss.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_pair_loss() {
  using A = PairLossArguments;
  return bind<PairLoss>("pairLoss",
                        {
                            tensor("src", &A::src),
                            tensor("target", &A::target),
                            tensor("dst", &A::dst),
                            choice("kind", &A::kind,
                                   {{"euclidean", PairLossKind::euclidean},
                                    {"sigmoidCrossEntropy", PairLossKind::sigmoid_cross_entropy}}),
                            choice("normalization", &A::normalization,
                                   {{"full", LossNormalization::full},
                                    {"valid", LossNormalization::valid},
                                    {"batchSize", LossNormalization::batch_size},
                                    {"none", LossNormalization::none}}),
                            boolean("ignores", &A::ignores),
                            integer("ignored", &A::ignored),
                        });
}

}  // namespace ristretto::binding
