#include "code_window.h"

namespace ristretto::binding {

BoundOp bind_max_pooling_codes() {
  using A = MaxPoolingCodes::Arguments;
  std::vector<Field<A>> fields = {
      codes("src", &A::src),
      codes("dst", &A::dst),
  };
  add_code_window(fields);
  return bind<MaxPoolingCodes>("maxPoolingCodes", std::move(fields));
}

}  // namespace ristretto::binding
