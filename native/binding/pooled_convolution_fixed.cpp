#include "core/op/pooled_convolution_fixed.h"

#include "convolution_fixed_fields.h"

namespace ristretto::binding {

BoundOp bind_pooled_convolution_fixed() {
  using A = PooledConvolutionFixedArguments;
  std::vector<Field<A>> fields = convolution_fixed_fields<A>();
  const auto add = [&fields](const char* name, int64_t CodeWindow::*member, int64_t least) {
    fields.push_back({name, "integer", true, [=](Napi::Value v, A& a, Keep&) {
                        a.window.*member = integer_from(v, least, INT32_MAX);
                      }});
  };
  add("poolKernelH", &CodeWindow::kernel_h, 1);
  add("poolKernelW", &CodeWindow::kernel_w, 1);
  add("poolStrideH", &CodeWindow::stride_h, 1);
  add("poolStrideW", &CodeWindow::stride_w, 1);
  add("poolPadH", &CodeWindow::pad_h, 0);
  add("poolPadW", &CodeWindow::pad_w, 0);
  return bind<PooledConvolutionFixed>("pooledConvolutionFixed", std::move(fields));
}

}  // namespace ristretto::binding
