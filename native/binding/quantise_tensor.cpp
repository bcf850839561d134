#include "core/op/quantise_tensor.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_quantise_tensor() {
  using A = QuantiseTensor::Arguments;
  return bind<QuantiseTensor>("quantiseTensor", {
                                                    tensor("src", &A::src),
                                                    tensor("dst", &A::dst),
                                                    code_format("format", &A::format, 32),
                                                    rounding("rounding", &A::rounding),
                                                });
}

}  // namespace ristretto::binding
