// unary: dst[i] = f(src[i]) for a function of a table. In place is allowed.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class UnaryFunction : uint8_t {
  relu,       // x > 0 ? x : a * x; +0 for the negative ones where a = 0
  absolute,   // |x|
  bnll,       // log(1 + e^x)
  clip,       // min(max(x, a), b)
  elu,        // x > 0 ? x : a * (e^x - 1)
  exponent,   // b * e^(a * x)
  logarithm,  // c * log(a * x + b)
  power,      // (a * x + b)^c
  sigmoid,    // 1 / (1 + e^-x)
  swish,      // x / (1 + e^(-a * x))
  tanh,
  threshold,  // x > a ? 1 : 0
};

template <>
inline constexpr auto names_of<UnaryFunction> =
    enum_names<UnaryFunction>("UnaryFunction", {{"relu", UnaryFunction::relu},
                                                {"absolute", UnaryFunction::absolute},
                                                {"bnll", UnaryFunction::bnll},
                                                {"clip", UnaryFunction::clip},
                                                {"elu", UnaryFunction::elu},
                                                {"exponent", UnaryFunction::exponent},
                                                {"logarithm", UnaryFunction::logarithm},
                                                {"power", UnaryFunction::power},
                                                {"sigmoid", UnaryFunction::sigmoid},
                                                {"swish", UnaryFunction::swish},
                                                {"tanh", UnaryFunction::tanh},
                                                {"threshold", UnaryFunction::threshold}});

// The function, as unary and its gradient take it.
template <class A, class F>
void unary_function_fields(F& field) {
  field("function", &A::function);
  field("a", &A::a).optional().doc("The function's parameters, as unary.h lists them.");
  field("b", &A::b).optional();
  field("c", &A::c).optional();
}

struct UnaryArguments {
  Tensor src;
  Tensor dst;  // the same shape; each may be a channel slice
  UnaryFunction function = UnaryFunction::relu;
  float a = 0, b = 0, c = 0;

  template <class F>
  static void fields(F& field) {
    using A = UnaryArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    unary_function_fields<A>(field);
  }
};

struct Unary {
  using Arguments = UnaryArguments;
  static constexpr const char* name = "unary";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
