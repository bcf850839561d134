// The table of bound ops: one function per op, each in a file of its own.
#pragma once

#include "op_binding.h"

namespace ristretto::binding {

using OpTable = std::vector<BoundOp (*)()>;
const OpTable& op_table();

}  // namespace ristretto::binding
