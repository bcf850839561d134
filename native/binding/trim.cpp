#include "core/op/trim.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_trim() {
  using A = TrimArguments;
  return bind<Trim>("trim", {
                                tensor("src", &A::src),
                                tensor("dst", &A::dst),
                                trim_format("format", &A::format),
                                random_stream("random", &A::random),
                            });
}

}  // namespace ristretto::binding
