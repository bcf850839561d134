// The bound ops: those of core/ops.inc.
#pragma once

#include "op_binding.h"

namespace ristretto::binding {

// In the order of their names.
std::vector<BoundOp> bind_ops();

}  // namespace ristretto::binding
