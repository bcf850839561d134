// copy: dst = src, element for element.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct CopyArguments {
  Tensor src, dst;  // of any type, the same one; no gaps; other memory
};

struct Copy {
  using Arguments = CopyArguments;
  // Throws Error where types or counts differ.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
