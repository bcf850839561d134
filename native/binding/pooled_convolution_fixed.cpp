#include "core/op/pooled_convolution_fixed.h"

#include "code_window.h"
#include "convolution_fixed_fields.h"

namespace ristretto::binding {

BoundOp bind_pooled_convolution_fixed() {
  using A = PooledConvolutionFixedArguments;
  std::vector<Field<A>> fields = convolution_fixed_fields<A>();
  add_code_window(fields,
                  {"poolKernelH", "poolKernelW", "poolStrideH", "poolStrideW", "poolPadH", "poolPadW"});
  return bind<PooledConvolutionFixed>("pooledConvolutionFixed", std::move(fields));
}

}  // namespace ristretto::binding
