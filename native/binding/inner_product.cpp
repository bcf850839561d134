#include "core/op/inner_product.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_inner_product() {
  using A = InnerProductArguments;
  return bind<InnerProduct>("innerProduct", {
                                                tensor("src", &A::src),
                                                tensor("weights", &A::weights),
                                                optional_tensor("bias", &A::bias),
                                                tensor("dst", &A::dst),
                                                boolean("transpose", &A::transpose),
                                                boolean("relu", &A::relu),
                                                trim_format("srcTrim", &A::src_trim),
                                                trim_format("dstTrim", &A::dst_trim),
                                                random_stream("srcRandom", &A::src_random),
                                                random_stream("dstRandom", &A::dst_random),
                                                packed_weights("packed", &A::packed),
                                                integer("weightsVersion", &A::weights_version, false, 0),
                                            });
}

}  // namespace ristretto::binding
