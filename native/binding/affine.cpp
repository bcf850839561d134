#include "core/op/affine.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_affine() {
  using A = AffineArguments;
  return bind<Affine>("affine", {
                                    tensor("src", &A::src),
                                    tensor("dst", &A::dst),
                                    optional_tensor("scale", &A::scale),
                                    optional_tensor("bias", &A::bias),
                                    integer("axis", &A::axis, true, 0),
                                    integer("axes", &A::axes, true, 0),
                                });
}

}  // namespace ristretto::binding
