#include "core/op/copy_strided.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_copy_strided() {
  using A = CopyStridedArguments;
  return bind<CopyStrided>("copyStrided", {
                                              tensor("src", &A::src),
                                              tensor("dst", &A::dst),
                                              integer("srcOffset", &A::src_offset, false, 0),
                                              integer("dstOffset", &A::dst_offset, false, 0),
                                              integers("counts", &A::counts),
                                              integers("srcStrides", &A::src_strides),
                                              integers("dstStrides", &A::dst_strides),
                                              boolean("accumulate", &A::accumulate),
                                          });
}

}  // namespace ristretto::binding
