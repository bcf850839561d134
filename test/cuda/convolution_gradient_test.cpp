// Gradients of convolutions and of their transposes on the device, against their definitions.
#include "core/op/convolution/convolution_gradient.h"

#include <cmath>
#include <cstring>

#include "core/op/convolution/deconvolution_gradient.h"
#include "cuda/ops.h"
#include "device.h"
#include "rounded.h"
#include "sums.h"
#include "window_cases.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

using Results = cases::Gradients;

// A random problem with its memory. Images may lie in larger ones, whose rest must stay untouched; sums start
// from values that are not 0.
template <class Arguments>
struct Problem {
  Arguments a;
  guarded::vector<float> src, weights, dst_diff;
  Results before;

  // Of a convolution from (c, h, w) to (k, p, q), or of its transpose.
  Problem(const cases::Shape& s, cases::Random& random, bool whole) {
    cases::take_windows(a, s);
    const int64_t p = (s.h + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
    const int64_t q = (s.w + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
    const auto images = [&](guarded::vector<float>& memory, std::initializer_list<int64_t> shape) {
      const int64_t gap = random.integer(0, 2) ? 0 : random.integer(1, 50);
      Tensor tensor = Tensor::of(nullptr, shape);
      tensor.image_stride += gap;
      // No slack after the last image, so that touching what lies behind it shows.
      memory = random.values(tensor.images() * tensor.image_stride - gap, whole);
      tensor.data = memory.data();
      return tensor;
    };
    constexpr bool transposed = std::is_same_v<Arguments, DeconvolutionGradientArguments>;
    const std::initializer_list<int64_t> large = {s.n, s.c, s.h, s.w}, small = {s.n, s.k, p, q};
    a.src = images(src, transposed ? small : large);
    a.dst_diff = images(dst_diff, transposed ? large : small);
    weights = random.values(s.k * (s.c / s.group) * s.r * s.s, whole);
    a.weights = Tensor::of(weights.data(), {s.k, s.c / s.group, s.r, s.s});
    if (random.integer(0, 3)) a.src_diff = images(before.src_diff, transposed ? small : large);
    if (random.integer(0, 3)) {
      before.weights_diff = random.values(int64_t(weights.size()), whole);
      a.weights_diff = a.weights;
      a.weights_diff.data = before.weights_diff.data();
    }
    if (random.integer(0, 3)) {
      before.bias_diff = random.values(a.dst_diff.dim[1], whole);
      a.bias_diff = Tensor::of(before.bias_diff.data(), {a.dst_diff.dim[1]});
    }
  }

  std::string text() const { return cases::text_of(a, "dst_diff", a.dst_diff); }

  Results expected() const {
    Results r = before;
    Arguments copy = a;
    if (a.src_diff) copy.src_diff.data = r.src_diff.data();
    if (a.weights_diff) copy.weights_diff.data = r.weights_diff.data();
    if (a.bias_diff) copy.bias_diff.data = r.bias_diff.data();
    ristretto::Context context(1, CpuFeatures{});
    define(context, copy);
    return r;
  }
  Results actual() const {
    const Shared<float> s(src), w(weights), d(dst_diff);
    const Shared<float> src_diff(before.src_diff), weights_diff(before.weights_diff);
    const Shared<float> bias_diff(before.bias_diff);
    Arguments copy = a;
    copy.src.data = s.data(), copy.weights.data = w.data(), copy.dst_diff.data = d.data();
    if (a.src_diff) copy.src_diff.data = src_diff.data();
    if (a.weights_diff) copy.weights_diff.data = weights_diff.data();
    if (a.bias_diff) copy.bias_diff.data = bias_diff.data();
    CHECK(cuda::run(test_context(), copy), text());
    test_context().synchronize();
    const auto values = [](const Shared<float>& x) { return guarded::vector<float>(x.begin(), x.end()); };
    return {values(src_diff), values(weights_diff), values(bias_diff)};
  }
  // The same sums over absolute values.
  Results magnitude() const {
    Problem p = *this;
    for (guarded::vector<float>* v :
         {&p.src, &p.weights, &p.dst_diff, &p.before.src_diff, &p.before.weights_diff, &p.before.bias_diff})
      *v = cases::absolute(*v);
    p.a.src.data = p.src.data(), p.a.weights.data = p.weights.data(), p.a.dst_diff.data = p.dst_diff.data();
    return p.expected();
  }

 private:
  static void define(ristretto::Context& context, const ConvolutionGradientArguments& x) {
    convolution_gradient_ref(context, x);
  }
  static void define(ristretto::Context& context, const DeconvolutionGradientArguments& x) {
    DeconvolutionGradient::run(context, x);
  }
};

template <class Arguments>
void check_results(const Problem<Arguments>& p, bool whole, const Results& actual) {
  const Results expected = p.expected(), magnitude = whole ? expected : p.magnitude();
  cases::check_sums(whole, actual.src_diff, expected.src_diff, magnitude.src_diff, "src_diff " + p.text());
  cases::check_sums(whole, actual.weights_diff, expected.weights_diff, magnitude.weights_diff,
                    "weights_diff " + p.text());
  cases::check_sums(whole, actual.bias_diff, expected.bias_diff, magnitude.bias_diff,
                    "bias_diff " + p.text());
}

template <class Arguments>
void check_problem(const Problem<Arguments>& p, bool whole) {
  check_results(p, whole, p.actual());
}

template <class Arguments>
void check_random(uint32_t seed, int rounds) {
  cases::Random random(seed);
  for (int round = 0; round < rounds; ++round) {
    const bool whole = round % 2 == 0;
    check_problem(Problem<Arguments>(cases::random_shape(random), random, whole), whole);
  }
}

// Products are of rounded operands; the bias's gradient is a sum of what was given.
void check_math(Math math) {
  if (test_context().device().capability() < 80) check::skip("no tensor cores");
  const WithMath with(math);
  cases::Random random(4);
  for (int round = 0; round < 12; ++round) {
    const bool whole = round % 2 == 0;
    Problem<ConvolutionGradientArguments> p(cases::random_shape(random), random, whole);
    Results given = p.actual();
    const Results unrounded = p.expected();
    // Where windows meet nothing but padding there is no product to be rounded.
    const bool products = p.a.weights_diff && unrounded.weights_diff != p.before.weights_diff;
    if (!whole && products) CHECK(given.weights_diff != unrounded.weights_diff, p.text());
    for (guarded::vector<float>* v : {&p.src, &p.weights, &p.dst_diff}) round_all(*v, math);
    p.a.bias_diff = Tensor();
    given.bias_diff = p.before.bias_diff;
    check_results(p, whole, given);
  }
}

}  // namespace

TEST(tf32_multiplies_what_is_rounded_to_it) { check_math(Math::tf32); }
TEST(bf16_multiplies_what_is_rounded_to_it) { check_math(Math::bf16); }

TEST(gradients_agree_with_the_definition) { check_random<ConvolutionGradientArguments>(1, 40); }
TEST(gradients_of_transposes_agree_with_the_processor) {
  check_random<DeconvolutionGradientArguments>(2, 30);
}

TEST(sums_over_many_pixels_are_cut_and_repeat_in_every_bit) {
  cases::Random random(3);
  const cases::Shape shape = {2, 3, 40, 41, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1};
  check_problem(Problem<ConvolutionGradientArguments>(shape, random, true), true);
  const Problem<ConvolutionGradientArguments> p(shape, random, false);
  check_problem(p, false);
  CHECK(p.actual() == p.actual());
}
