// unary gradient: srcDiff = dstDiff * f'(x) for a function f of unary's table. In place is allowed.
#pragma once

#include "../../op_fields.h"
#include "unary.h"

namespace ristretto {

struct UnaryGradientArguments {
  // What f' is computed from: what f gave for exponent, sigmoid, tanh, and for relu and elu with a >= 0; else
  // what f was given. An affine power (c = 1) does not read it.
  Tensor values;
  Tensor dst_diff;
  Tensor src_diff;  // the same shape; each may be a channel slice
  UnaryFunction function = UnaryFunction::relu;
  float a = 0, b = 0, c = 0;

  template <class F>
  static void fields(F& field) {
    using A = UnaryGradientArguments;
    field("values", &A::values)
        .doc("What the function gave (elu, exponent, sigmoid, tanh, relu), else what it was given.");
    field("dstDiff", &A::dst_diff);
    field("srcDiff", &A::src_diff);
    unary_function_fields<A>(field);
  }
};

struct UnaryGradient {
  using Arguments = UnaryGradientArguments;
  static constexpr const char* name = "unaryGradient";
  // Throws Error for a function without a gradient (threshold), too.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
