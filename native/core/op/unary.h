// unary: dst[i] = f(src[i]) for a function of a table. In place is allowed.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

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

struct UnaryArguments {
  Tensor src;
  Tensor dst;  // the same shape; each may be a channel slice
  UnaryFunction function = UnaryFunction::relu;
  float a = 0, b = 0, c = 0;
};

struct Unary {
  using Arguments = UnaryArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
