#include "core/op/resize_image.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_resize_image() {
  using A = ResizeImageArguments;
  return bind<ResizeImage>("resizeImage", {
                                              tensor("src", &A::src),
                                              tensor("dst", &A::dst),
                                          });
}

}  // namespace ristretto::binding
