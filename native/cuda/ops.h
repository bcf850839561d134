// The ops that run on a device: all of core/ops.inc. run(context, arguments) launches the kernels of an op
// and returns true, or returns false and leaves everything as it is, where this problem is one for the CPU:
// the caller then waits for the device and runs the op there, on the same memory.
#pragma once

#include "context.h"
#include "core/ops.h"

namespace ristretto::cuda {

#define OP(Type) bool run(Context& context, const Type::Arguments& arguments);
#include "core/ops.inc"

}  // namespace ristretto::cuda
