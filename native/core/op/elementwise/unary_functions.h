// The functions of unary's table and their slopes, of one number: the same source for the processor and for
// devices.
#pragma once

#include <cmath>

#include "../../error.h"
#include "../../host_device.h"
#include "unary_gradient.h"

namespace ristretto {

struct UnaryParameters {
  float a, b, c;
};

namespace functions {

struct PlainRelu : UnaryParameters {
  // Not max(x, 0): a NaN must stay one.
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return x < 0 ? 0.0f : x; }
};
struct Relu : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return x > 0 ? x : a * x; }
};
struct Absolute : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return std::fabs(x); }
};
struct Bnll : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const {
    return x > 0 ? x + std::log(1 + std::exp(-x)) : std::log(1 + std::exp(x));
  }
};
struct Clip : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return x < a ? a : x > b ? b : x; }
};
struct Elu : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return x > 0 ? x : a * (std::exp(x) - 1); }
};
struct Exponent : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return b * std::exp(a * x); }
};
struct Logarithm : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return c * std::log(a * x + b); }
};
struct Power : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return std::pow(a * x + b, c); }
};
struct Square : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const {
    const float y = a * x + b;
    return y * y;
  }
};
struct Affine : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return a * x + b; }
};
struct Sigmoid : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return 1 / (1 + std::exp(-x)); }
};
struct Swish : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return x / (1 + std::exp(-a * x)); }
};
struct Tanh : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return std::tanh(x); }
};
struct Threshold : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x) const { return x > a ? 1.0f : 0.0f; }
};

}  // namespace functions

// Of a value as UnaryGradientArguments says, and the gradient that is passed on.
namespace slopes {

struct PlainRelu : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float y, float d) const { return y > 0 ? d : 0.0f; }
};
struct Relu : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float y, float d) const { return y > 0 ? d : a * d; }
};
struct Absolute : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const { return x > 0 ? d : x < 0 ? -d : 0.0f; }
};
struct Bnll : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const { return d / (1 + std::exp(-x)); }
};
struct Clip : UnaryParameters {
  // Clip to one value is how a constant is expressed.
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const {
    return a < b && x >= a && x <= b ? d : 0.0f;
  }
};
struct Elu : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float y, float d) const { return y > 0 ? d : d * (y + a); }
};
struct EluOfSource : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const { return x > 0 ? d : d * a * std::exp(x); }
};
struct Exponent : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float y, float d) const { return d * a * y; }
};
struct Logarithm : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const { return d * c * a / (a * x + b); }
};
struct Power : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const {
    return d * a * c * std::pow(a * x + b, c - 1);
  }
};
struct Square : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const { return d * 2 * a * (a * x + b); }
};
struct Affine : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float, float d) const { return d * a; }
};
struct Sigmoid : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float y, float d) const { return d * y * (1 - y); }
};
struct Swish : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float x, float d) const {
    const float s = 1 / (1 + std::exp(-a * x));
    return d * (s + a * x * s * (1 - s));
  }
};
struct Tanh : UnaryParameters {
  RISTRETTO_HOST_DEVICE float operator()(float y, float d) const { return d * (1 - y * y); }
};

}  // namespace slopes

// body(function), which every function gives the same type.
template <class Body>
auto with_function(const UnaryArguments& u, const Body& body) {
  const UnaryParameters p{u.a, u.b, u.c};
  switch (u.function) {
    case UnaryFunction::relu:
      if (u.a == 0) return body(functions::PlainRelu{p});
      return body(functions::Relu{p});
    case UnaryFunction::absolute:
      return body(functions::Absolute{p});
    case UnaryFunction::bnll:
      return body(functions::Bnll{p});
    case UnaryFunction::clip:
      return body(functions::Clip{p});
    case UnaryFunction::elu:
      return body(functions::Elu{p});
    case UnaryFunction::exponent:
      return body(functions::Exponent{p});
    case UnaryFunction::logarithm:
      return body(functions::Logarithm{p});
    case UnaryFunction::power:
      if (u.c == 1) return body(functions::Affine{p});
      if (u.c == 2) return body(functions::Square{p});
      return body(functions::Power{p});
    case UnaryFunction::sigmoid:
      return body(functions::Sigmoid{p});
    case UnaryFunction::swish:
      return body(functions::Swish{p});
    case UnaryFunction::tanh:
      return body(functions::Tanh{p});
    case UnaryFunction::threshold:
      return body(functions::Threshold{p});
  }
  fail("unknown function");
}

template <class Body>
auto with_slope(const UnaryGradientArguments& u, const Body& body) {
  const UnaryParameters p{u.a, u.b, u.c};
  switch (u.function) {
    case UnaryFunction::relu:
      if (u.a == 0) return body(slopes::PlainRelu{p});
      return body(slopes::Relu{p});
    case UnaryFunction::absolute:
      return body(slopes::Absolute{p});
    case UnaryFunction::bnll:
      return body(slopes::Bnll{p});
    case UnaryFunction::clip:
      return body(slopes::Clip{p});
    case UnaryFunction::elu:
      if (u.a < 0) return body(slopes::EluOfSource{p});
      return body(slopes::Elu{p});
    case UnaryFunction::exponent:
      return body(slopes::Exponent{p});
    case UnaryFunction::logarithm:
      return body(slopes::Logarithm{p});
    case UnaryFunction::power:
      if (u.c == 1) return body(slopes::Affine{p});
      if (u.c == 2) return body(slopes::Square{p});
      return body(slopes::Power{p});
    case UnaryFunction::sigmoid:
      return body(slopes::Sigmoid{p});
    case UnaryFunction::swish:
      return body(slopes::Swish{p});
    case UnaryFunction::tanh:
      return body(slopes::Tanh{p});
    case UnaryFunction::threshold:
      fail("a threshold has no gradient");
  }
  fail("unknown function");
}

}  // namespace ristretto
