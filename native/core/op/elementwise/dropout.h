// dropout: each element is 0 with probability `ratio`, else divided by 1 - ratio. Which ones depends on the
// random stream and the element's index alone, so the backward pass draws the same.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../random.h"
#include "../../tensor_view.h"

namespace ristretto {

struct DropoutArguments {
  Tensor src;
  Tensor dst;       // the same shape; may be src
  float ratio = 0;  // in [0, 1)
  RandomStream random;

  template <class F>
  static void fields(F& field) {
    using A = DropoutArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("ratio", &A::ratio).doc("Share of the elements that become 0, in [0, 1).");
    field("random", &A::random);
  }
};

struct Dropout {
  using Arguments = DropoutArguments;
  static constexpr const char* name = "dropout";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
