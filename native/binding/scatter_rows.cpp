#include "core/op/scatter_rows.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_scatter_rows() {
  using A = ScatterRowsArguments;
  return bind<ScatterRows>("scatterRows", {
                                              tensor("src", &A::src),
                                              tensor("index", &A::index),
                                              optional_tensor("table", &A::table),
                                              optional_tensor("bias", &A::bias),
                                              boolean("overwrite", &A::overwrite),
                                          });
}

}  // namespace ristretto::binding
