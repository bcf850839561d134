#include "core/op/elementwise/elementwise.h"
#include "core/op/rows/sum_of_squares.h"

#include <cmath>
#include <cstring>
#include <random>

#include "check.h"

using namespace ristretto;

namespace {

guarded::vector<float> random_values(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  guarded::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

using Operation = StepOperation;
constexpr int kConstant = ElementwiseStep::kConstant;

// More than one block and one thread's share, and no multiple of either.
constexpr size_t kCount = 100'003;

struct Adam {
  guarded::vector<float> w = random_values(kCount, 1), g = random_values(kCount, 2),
                         m = random_values(kCount, 3), v = random_values(kCount, 4);

  Adam() {
    for (float& x : v) x = std::fabs(x);
  }

  void run(int threads) {
    Context context(threads, detect_cpu_features());
    ElementwiseArguments e;
    for (auto* values : {&w, &g, &m, &v}) e.operands.push_back(Tensor::of(values->data(), {int64_t(kCount)}));
    e.steps = {
        {Operation::multiply, 4, 1, kConstant, 0.1f},
        {Operation::multiply, 2, 2, kConstant, 0.9f},
        {Operation::add, 2, 2, 4, 0},
        {Operation::multiply, 4, 1, 1, 0},
        {Operation::multiply, 4, 4, kConstant, 0.001f},
        {Operation::multiply, 3, 3, kConstant, 0.999f},
        {Operation::add, 3, 3, 4, 0},
        {Operation::square_root, 4, 3, kConstant, 0},
        {Operation::add, 4, 4, kConstant, 1e-8f},
        {Operation::divide, 4, 2, 4, 0},
        {Operation::multiply, 1, 4, kConstant, 0.0005f},
        {Operation::subtract, 0, 0, 1, 0},
    };
    Elementwise::check(e);
    Elementwise::run(context, e);
  }
};

bool refused(const ElementwiseArguments& e) {
  try {
    Elementwise::check(e);
    return false;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace

TEST(a_program_rounds_every_step_once) {
  const Adam start;
  Adam done;
  done.run(2);
  for (size_t i = 0; i < kCount; ++i) {
    const float g = start.g[i];
    const volatile float scaled = 0.1f * g, decayed = 0.9f * start.m[i];
    const volatile float m = decayed + scaled;
    const volatile float square = g * g;
    const volatile float part = square * 0.001f, rest = 0.999f * start.v[i];
    const volatile float v = rest + part;
    const volatile float root = std::sqrt(float(v));
    const volatile float sum = root + 1e-8f;
    const volatile float quotient = m / sum;
    const volatile float update = quotient * 0.0005f;
    const volatile float w = start.w[i] - update;
    CHECK_EQUAL(done.m[i], float(m), "element ", i);
    CHECK_EQUAL(done.v[i], float(v), "element ", i);
    CHECK_EQUAL(done.g[i], float(update), "element ", i);
    CHECK_EQUAL(done.w[i], float(w), "element ", i);
  }
}

TEST(a_program_gives_the_same_on_any_number_of_threads) {
  Adam one, three;
  one.run(1);
  three.run(3);
  CHECK_EQUAL(one.w == three.w && one.v == three.v, true);
}

TEST(steps_of_one_argument_and_extremes) {
  Context context(1, detect_cpu_features());
  guarded::vector<float> x = {-2, -0.0f, 0, 3, NAN}, y(5), z(5), t = {-3, 1, -1, 7, 2};
  ElementwiseArguments e;
  for (auto* values : {&x, &y, &z, &t}) e.operands.push_back(Tensor::of(values->data(), {5}));
  e.steps = {{Operation::sign, 1, 0, kConstant, 0},
             {Operation::absolute, 2, 0, kConstant, 0},
             {Operation::maximum, 3, 3, kConstant, -1.5f},
             {Operation::minimum, 3, 3, kConstant, 1.5f}};
  Elementwise::check(e);
  Elementwise::run(context, e);
  const float signs[] = {-1, 0, 0, 1, 0}, magnitudes[] = {2, 0, 0, 3}, clipped[] = {-1.5f, 1, -1, 1.5f, 1.5f};
  for (int i = 0; i < 5; ++i) CHECK_EQUAL(y[i], signs[i], "sign of ", x[i]);
  for (int i = 0; i < 4; ++i) CHECK_EQUAL(z[i], magnitudes[i], "magnitude of ", x[i]);
  for (int i = 0; i < 5; ++i) CHECK_EQUAL(t[i], clipped[i], "element ", i);
}

TEST(programs_that_make_no_sense_are_refused) {
  guarded::vector<float> x(10), y(9);
  ElementwiseArguments good;
  good.operands = {Tensor::of(x.data(), {10})};
  good.steps = {{Operation::copy, 1, 0, kConstant, 0}};
  CHECK_EQUAL(refused(good), false);
  ElementwiseArguments e = good;
  e.steps = {{Operation::copy, 0, 1, kConstant, 0}};
  CHECK_EQUAL(refused(e), true, "a register read first");
  e.steps = {{Operation::copy, 5, 0, kConstant, 0}};
  CHECK_EQUAL(refused(e), true, "a slot that is not there");
  e.steps = {};
  CHECK_EQUAL(refused(e), true, "no steps");
  e = good;
  e.operands.push_back(Tensor::of(y.data(), {9}));
  CHECK_EQUAL(refused(e), true, "other counts");
  e.operands = {Tensor::of(x.data(), {5}), Tensor::of(x.data() + 3, {5})};
  CHECK_EQUAL(refused(e), true, "overlap");
}

TEST(sum_of_squares_is_in_double_and_independent_of_threads) {
  guarded::vector<float> a = random_values(kCount, 5), b = random_values(17, 6), c = {3e20f};
  double first = 0;
  for (int threads : {1, 2, 3}) {
    Context context(threads, detect_cpu_features());
    int32_t bits[2];
    SumOfSquaresArguments s;
    for (auto* values : {&a, &b, &c}) s.srcs.push_back(Tensor::of(values->data(), {int64_t(values->size())}));
    s.dst = Tensor::of(nullptr, {2});
    s.dst.data = bits;
    s.dst.type = DataType::i32;
    SumOfSquares::check(s);
    SumOfSquares::run(context, s);
    double sum;
    std::memcpy(&sum, bits, sizeof sum);
    if (threads == 1) first = sum;
    CHECK_EQUAL(sum, first, threads, " threads");
    s.srcs.pop_back();
    SumOfSquares::run(context, s);
    std::memcpy(&sum, bits, sizeof sum);
    double expected = 0;
    for (auto* values : {&a, &b})
      for (float x : *values) expected += double(x) * double(x);
    CHECK_EQUAL(std::fabs(sum - expected) < 1e-12 * expected, true, sum, " and ", expected);
  }
  CHECK_EQUAL(first > 8e40, true);
}
