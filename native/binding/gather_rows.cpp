#include "core/op/gather_rows.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_gather_rows() {
  using A = GatherRowsArguments;
  return bind<GatherRows>("gatherRows", {
                                            tensor("table", &A::table),
                                            tensor("index", &A::index),
                                            optional_tensor("bias", &A::bias),
                                            tensor("dst", &A::dst),
                                        });
}

}  // namespace ristretto::binding
