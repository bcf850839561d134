// affine: dst = src * scale + bias, scale and bias broadcast over the axes that they lack: Scale and Bias.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct AffineArguments {
  Tensor src;
  Tensor dst;                  // the same shape; may be src
  Tensor scale;                // as many elements as the broadcast axes, or empty: 1
  Tensor bias;                 // the same, or empty: 0
  int64_t axis = 0, axes = 0;  // the axes of src that scale and bias have: [axis, axis + axes)

  template <class F>
  static void fields(F& field) {
    using A = AffineArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("scale", &A::scale).optional();
    field("bias", &A::bias).optional();
    field("axis", &A::axis).at_least(0).doc("The axes of src that scale and bias have: [axis, axis + axes).");
    field("axes", &A::axes).at_least(0);
  }
};

struct Affine {
  using Arguments = AffineArguments;
  static constexpr const char* name = "affine";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
