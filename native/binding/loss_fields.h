// Fields that losses and their gradients share.
#pragma once

#include "core/op/loss.h"
#include "op_binding.h"

namespace ristretto::binding {

template <class A>
Field<A> label_loss_kind(const char* name, LabelLossKind A::*member) {
  return choice(name, member,
                {{"logarithm", LabelLossKind::logarithm},
                 {"hingeL1", LabelLossKind::hinge_l1},
                 {"hingeL2", LabelLossKind::hinge_l2},
                 {"infogain", LabelLossKind::infogain}});
}

template <class A>
Field<A> pair_loss_kind(const char* name, PairLossKind A::*member) {
  return choice(
      name, member,
      {{"euclidean", PairLossKind::euclidean}, {"sigmoidCrossEntropy", PairLossKind::sigmoid_cross_entropy}});
}

template <class A>
Field<A> loss_normalization(const char* name, LossNormalization A::*member) {
  return choice(name, member,
                {{"full", LossNormalization::full},
                 {"valid", LossNormalization::valid},
                 {"batchSize", LossNormalization::batch_size},
                 {"none", LossNormalization::none}});
}

}  // namespace ristretto::binding
