#include "code_window.h"

namespace ristretto::binding {

BoundOp bind_average_pooling_codes() {
  using A = AveragePoolingCodes::Arguments;
  std::vector<Field<A>> fields = {
      codes("src", &A::src),
      tensor("dst", &A::dst),
      integer("fractionalLength", &A::fractional_length, true, -126, 126),
  };
  add_code_window(fields);
  return bind<AveragePoolingCodes>("averagePoolingCodes", std::move(fields));
}

}  // namespace ristretto::binding
