#include "unary_gradient.h"

#include <cmath>

#include "check_tensor.h"

namespace ristretto {
namespace {

using Span = void (*)(const float* values, const float* dst_diff, float* src_diff, int64_t count,
                      const UnaryGradientArguments& arguments);

template <class Slope>
void span(const float* values, const float* dst_diff, float* src_diff, int64_t count,
          const UnaryGradientArguments& arguments) {
  const Slope slope{arguments.a, arguments.b, arguments.c};
  for (int64_t i = 0; i < count; ++i) src_diff[i] = slope(values[i], dst_diff[i]);
}

struct Parameters {
  float a, b, c;
};
struct PlainRelu : Parameters {
  float operator()(float y, float d) const { return y > 0 ? d : 0.0f; }
};
struct Relu : Parameters {
  float operator()(float y, float d) const { return y > 0 ? d : a * d; }
};
struct Absolute : Parameters {
  float operator()(float x, float d) const { return x > 0 ? d : x < 0 ? -d : 0.0f; }
};
struct Bnll : Parameters {
  float operator()(float x, float d) const { return d / (1 + std::exp(-x)); }
};
struct Clip : Parameters {
  // Clip to one value is how a constant is expressed.
  float operator()(float x, float d) const { return a < b && x >= a && x <= b ? d : 0.0f; }
};
struct Elu : Parameters {
  float operator()(float y, float d) const { return y > 0 ? d : d * (y + a); }
};
struct EluOfSource : Parameters {
  float operator()(float x, float d) const { return x > 0 ? d : d * a * std::exp(x); }
};
struct Exponent : Parameters {
  float operator()(float y, float d) const { return d * a * y; }
};
struct Logarithm : Parameters {
  float operator()(float x, float d) const { return d * c * a / (a * x + b); }
};
struct Power : Parameters {
  float operator()(float x, float d) const { return d * a * c * std::pow(a * x + b, c - 1); }
};
struct Square : Parameters {
  float operator()(float x, float d) const { return d * 2 * a * (a * x + b); }
};
struct Affine : Parameters {
  float operator()(float, float d) const { return d * a; }
};
struct Sigmoid : Parameters {
  float operator()(float y, float d) const { return d * y * (1 - y); }
};
struct Swish : Parameters {
  float operator()(float x, float d) const {
    const float s = 1 / (1 + std::exp(-a * x));
    return d * (s + a * x * s * (1 - s));
  }
};
struct Tanh : Parameters {
  float operator()(float y, float d) const { return d * (1 - y * y); }
};

Span span_for(const UnaryGradientArguments& u) {
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
      return u.a < 0 ? span<EluOfSource> : span<Elu>;
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
      fail("a threshold has no gradient");
  }
  fail("unknown function");
}

}  // namespace

void UnaryGradient::check(const Arguments& u) {
  require_float(u.values, "values");
  require_float(u.dst_diff, "dstDiff");
  require_float(u.src_diff, "srcDiff");
  require_same_shape(u.values, "values", u.dst_diff, "dstDiff");
  require_same_shape(u.values, "values", u.src_diff, "srcDiff");
  span_for(u);
}

void UnaryGradient::run(Context& context, const Arguments& u) {
  const Span apply = span_for(u);
  const int64_t count = u.values.count();
  if (count == 0) return;
  // One run of elements where no side has gaps, else one per image.
  const bool whole = u.values.contiguous() && u.dst_diff.contiguous() && u.src_diff.contiguous();
  const int64_t length = whole ? count : u.values.image_count();
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(count, kGrain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t image = begin / length, offset = begin % length;
      const int64_t stop = std::min(end, (image + 1) * length);
      apply(u.values.f32() + image * u.values.image_stride + offset,
            u.dst_diff.f32() + image * u.dst_diff.image_stride + offset,
            u.src_diff.f32() + image * u.src_diff.image_stride + offset, stop - begin, u);
      begin = stop;
    }
  });
}

}  // namespace ristretto
