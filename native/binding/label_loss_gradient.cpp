#include "core/op/loss_gradient.h"

#include "loss_fields.h"

namespace ristretto::binding {

BoundOp bind_label_loss_gradient() {
  using A = LabelLossGradientArguments;
  return bind<LabelLossGradient>("labelLossGradient",
                                 {
                                     tensor("src", &A::src),
                                     tensor("labels", &A::labels),
                                     tensor("dstDiff", &A::dst_diff),
                                     tensor("srcDiff", &A::src_diff),
                                     label_loss_kind("kind", &A::kind),
                                     boolean("throughSoftmax", &A::through_softmax),
                                     loss_normalization("normalization", &A::normalization),
                                     integer("axis", &A::axis, true, 0),
                                     number("floor", &A::floor),
                                     optional_tensor("gain", &A::gain),
                                     boolean("ignores", &A::ignores),
                                     integer("ignored", &A::ignored),
                                 });
}

}  // namespace ristretto::binding
