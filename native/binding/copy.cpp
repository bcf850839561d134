#include "core/op/copy.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_copy() {
  using A = CopyArguments;
  return bind<Copy>("copy", {tensor("src", &A::src), tensor("dst", &A::dst)});
}

}  // namespace ristretto::binding
