// copy: dst = src, element for element.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct CopyArguments {
  Tensor src, dst;  // of any type, the same one; no gaps; other memory

  template <class F>
  static void fields(F& field) {
    using A = CopyArguments;
    field("src", &A::src).doc("Of any type, the same for both, and as many elements.");
    field("dst", &A::dst);
  }
};

struct Copy {
  using Arguments = CopyArguments;
  static constexpr const char* name = "copy";
  // Throws Error where types or counts differ.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
