#include "core/op/loss.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_label_loss() {
  using A = LabelLossArguments;
  return bind<LabelLoss>("labelLoss", {
                                          tensor("src", &A::src),
                                          tensor("labels", &A::labels),
                                          tensor("dst", &A::dst),
                                          choice("kind", &A::kind,
                                                 {{"logarithm", LabelLossKind::logarithm},
                                                  {"hingeL1", LabelLossKind::hinge_l1},
                                                  {"hingeL2", LabelLossKind::hinge_l2},
                                                  {"infogain", LabelLossKind::infogain}}),
                                          choice("normalization", &A::normalization,
                                                 {{"full", LossNormalization::full},
                                                  {"valid", LossNormalization::valid},
                                                  {"batchSize", LossNormalization::batch_size},
                                                  {"none", LossNormalization::none}}),
                                          integer("axis", &A::axis, true, 0),
                                          number("floor", &A::floor),
                                          optional_tensor("gain", &A::gain),
                                          boolean("ignores", &A::ignores),
                                          integer("ignored", &A::ignored),
                                      });
}

}  // namespace ristretto::binding
