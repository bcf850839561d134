#include "unary.h"

#include <cmath>

#include "check_tensor.h"

namespace ristretto {
namespace {

using Span = void (*)(const float* src, float* dst, int64_t count, const UnaryArguments& arguments);

template <class Function>
void span(const float* src, float* dst, int64_t count, const UnaryArguments& arguments) {
  const Function f(arguments);
  for (int64_t i = 0; i < count; ++i) dst[i] = f(src[i]);
}

struct Parameters {
  explicit Parameters(const UnaryArguments& u) : a(u.a), b(u.b), c(u.c) {}
  float a, b, c;
};
struct PlainRelu : Parameters {
  using Parameters::Parameters;
  // Not max(x, 0): a NaN must stay one.
  float operator()(float x) const { return x < 0 ? 0.0f : x; }
};
struct Relu : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return x > 0 ? x : a * x; }
};
struct Absolute : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return std::fabs(x); }
};
struct Bnll : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const {
    return x > 0 ? x + std::log(1 + std::exp(-x)) : std::log(1 + std::exp(x));
  }
};
struct Clip : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return x < a ? a : x > b ? b : x; }
};
struct Elu : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return x > 0 ? x : a * (std::exp(x) - 1); }
};
struct Exponent : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return b * std::exp(a * x); }
};
struct Logarithm : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return c * std::log(a * x + b); }
};
struct Power : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return std::pow(a * x + b, c); }
};
struct Square : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const {
    const float y = a * x + b;
    return y * y;
  }
};
struct Affine : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return a * x + b; }
};
struct Sigmoid : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return 1 / (1 + std::exp(-x)); }
};
struct Swish : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return x / (1 + std::exp(-a * x)); }
};
struct Tanh : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return std::tanh(x); }
};
struct Threshold : Parameters {
  using Parameters::Parameters;
  float operator()(float x) const { return x > a ? 1.0f : 0.0f; }
};

Span span_for(const UnaryArguments& u) {
  switch (u.function) {
    case UnaryFunction::relu:
      return u.a == 0 ? span<PlainRelu> : span<Relu>;
    case UnaryFunction::absolute:
      return span<Absolute>;
    case UnaryFunction::bnll:
      return span<Bnll>;
    case UnaryFunction::clip:
      return span<Clip>;
    case UnaryFunction::elu:
      return span<Elu>;
    case UnaryFunction::exponent:
      return span<Exponent>;
    case UnaryFunction::logarithm:
      return span<Logarithm>;
    case UnaryFunction::power:
      return u.c == 1 ? span<Affine> : u.c == 2 ? span<Square> : span<Power>;
    case UnaryFunction::sigmoid:
      return span<Sigmoid>;
    case UnaryFunction::swish:
      return span<Swish>;
    case UnaryFunction::tanh:
      return span<Tanh>;
    case UnaryFunction::threshold:
      return span<Threshold>;
  }
  fail("unknown function");
}

}  // namespace

void Unary::check(const Arguments& u) {
  require_float(u.src, "src");
  require_float(u.dst, "dst");
  require_same_shape(u.src, "src", u.dst, "dst");
  span_for(u);
}

void Unary::run(Context& context, const Arguments& u) {
  const Span apply = span_for(u);
  const int64_t count = u.src.count();
  if (count == 0) return;
  // One run of elements where neither side has gaps, else one per image.
  const bool whole = u.src.contiguous() && u.dst.contiguous();
  const int64_t length = whole ? count : u.src.image_count();
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(count, kGrain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t image = begin / length, offset = begin % length;
      const int64_t stop = std::min(end, (image + 1) * length);
      apply(u.src.f32() + image * u.src.image_stride + offset,
            u.dst.f32() + image * u.dst.image_stride + offset, stop - begin, u);
      begin = stop;
    }
  });
}

}  // namespace ristretto
