#include "ops.h"

#include <algorithm>
#include <cstring>

#include "core/ops.h"

namespace ristretto::binding {

std::vector<BoundOp> bind_ops() {
  std::vector<BoundOp> ops;
#define OP(Type) ops.push_back(bind<Type>());
#include "core/ops.inc"
  std::sort(ops.begin(), ops.end(),
            [](const BoundOp& a, const BoundOp& b) { return std::strcmp(a.name, b.name) < 0; });
  return ops;
}

}  // namespace ristretto::binding
