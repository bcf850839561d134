#include "core/op/loss.h"

#include "loss_fields.h"

namespace ristretto::binding {

BoundOp bind_label_loss() {
  using A = LabelLossArguments;
  return bind<LabelLoss>("labelLoss", {
                                          tensor("src", &A::src),
                                          tensor("labels", &A::labels),
                                          tensor("dst", &A::dst),
                                          label_loss_kind("kind", &A::kind),
                                          loss_normalization("normalization", &A::normalization),
                                          integer("axis", &A::axis, true, 0),
                                          number("floor", &A::floor),
                                          optional_tensor("gain", &A::gain),
                                          boolean("ignores", &A::ignores),
                                          integer("ignored", &A::ignored),
                                      });
}

}  // namespace ristretto::binding
