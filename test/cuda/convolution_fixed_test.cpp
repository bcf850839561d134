// Fixed-point convolutions on the device equal the definition, bit for bit, halos and neighbours' channels
// included.
#include "cuda/op/convolution_fixed.h"

#include <functional>

#include "../native/fixed_cases.h"
#include "core/context.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

using Problem = cases::FixedProblem;

// A problem in the device's memory.
class OnDevice {
 public:
  explicit OnDevice(const Problem& problem)
      : problem_(problem),
        src_(problem.src->memory),
        dst_(problem.dst->memory),
        weights_(problem.weights),
        bias_(problem.bias) {}

  // Dst's memory behind the run.
  std::vector<char> result(const std::function<void(const ConvolutionFixedArguments&)>& run) const {
    std::memcpy(weights_.data(), problem_.weights.data(), weights_.size());
    std::memcpy(bias_.data(), problem_.bias.data(), bias_.size() * sizeof(int32_t));
    std::memcpy(dst_.data(), problem_.dst->memory.data(), dst_.size());
    ConvolutionFixedArguments a = problem_.a;
    a.src = problem_.src->in(src_.data());
    a.dst = problem_.dst->in(dst_.data());
    a.weights.data = weights_.data();
    if (a.bias) a.bias.data = bias_.data();
    run(a);
    test_context().synchronize();
    return {dst_.begin(), dst_.end()};
  }

 private:
  const Problem& problem_;
  Shared<char> src_, dst_, weights_;
  Shared<int32_t> bias_;
};

std::vector<char> expected(const Problem& problem) {
  ristretto::Context reference(1, CpuFeatures{});
  return problem.result([&](const ConvolutionFixedArguments& a) { convolution_fixed_ref(reference, a); });
}

// False where the problem is none that may be asked for.
bool check_run(const Problem& problem) {
  if (!fixed_bound(problem.a).acc_fits_64()) return false;
  ConvolutionFixed::check(problem.a);
  const OnDevice device(problem);
  problem.compare(
      device.result([](const ConvolutionFixedArguments& a) { CHECK(cuda::run(test_context(), a)); }),
      expected(problem), "the device");
  return true;
}

bool check_shape(const Problem& problem, int shape) {
  if (!fixed_bound(problem.a).acc_fits_64() || !convolution_fixed_tiles_supports(problem.a)) return false;
  const OnDevice device(problem);
  problem.compare(device.result([&](const ConvolutionFixedArguments& a) {
    convolution_fixed_tiles(test_context(), a, shape);
  }),
                  expected(problem), check::text("tile ", shape));
  return true;
}

// Small enough for the executor.
Problem::Shape small_shape(cases::Random& random) {
  Problem::Shape s = Problem::random_shape(random);
  s.n = random.integer(1, 2);
  s.h = std::min<int64_t>(s.h, 9), s.w = std::min<int64_t>(s.w, 11);
  s.h = std::max(s.h, s.dilation_h * (s.r - 1) + 1), s.w = std::max(s.w, s.dilation_w * (s.s - 1) + 1);
  s.c = s.group * std::min<int64_t>(s.c / s.group, 24), s.k = s.group * std::min<int64_t>(s.k / s.group, 40);
  s.spread_h = s.spread_w = 1;
  return s;
}

void check_kind(const Problem::Kind& kind, uint32_t seed, int problems) {
  cases::Random random(seed);
  int checked = 0;
  for (int i = 0; i < problems; ++i) checked += check_run(Problem(small_shape(random), kind, random));
  CHECK(2 * checked > problems, checked, " of ", problems);
}

}  // namespace

TEST(bytes_equal_the_definition) { check_kind({8, 8}, 1, 30); }
TEST(bytes_at_their_extremes) { check_kind({8, 8, true}, 2, 10); }
TEST(words_equal_the_definition) {
  check_kind({16, 8}, 3, 14);
  check_kind({16, 8, true}, 4, 8);
  check_kind({12, 5}, 5, 6);
}
TEST(wide_weights_equal_the_definition) {
  check_kind({8, 16}, 6, 10);
  check_kind({16, 16, true}, 7, 10);
}

// Channels in whole vectors, through each shape of tile: kernels and strides of every kind, codes that need a
// sign flipped, one group and several, several blocks of depth, more columns and rows than a tile has.
TEST(every_tile_equals_the_definition) {
  cases::Random random(8);
  const Problem::Shape shapes[] = {
      {1, 64, 7, 9, 72, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // one block of depth
      {2, 16, 9, 8, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},    // four taps in a block
      {1, 48, 11, 13, 33, 3, 3, 2, 2, 1, 1, 1, 1, 1},  // taps that end within a block
      {1, 32, 8, 9, 130, 5, 5, 1, 1, 2, 2, 1, 1, 1},   // two tiles of columns
      {3, 96, 7, 7, 16, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // half a tile
      {1, 64, 6, 9, 64, 3, 3, 1, 1, 2, 2, 2, 2, 2},    // groups and dilation
      {20, 112, 2, 2, 50, 2, 2, 1, 1, 0, 0, 1, 1, 1},  // an inner product
  };
  int checked = 0;
  for (const Problem::Shape& s : shapes)
    for (int shape = 0; shape < kFixedShapes; ++shape)
      for (const Problem::Kind& kind : {Problem::Kind{8, 8}, Problem::Kind{16, 8}}) {
        if (kind.src_bits == 16 && shape < 2) continue;
        Problem problem(s, kind, random);
        checked += check_shape(problem, shape);
      }
  CHECK(checked > 35, checked);
}

// Warp groups: taps that fill a block of depth, one tap that ends within one, taps of 16, 32 and 48 channels;
// strides, pads and dilation; windows that go on in the next image, and behind the last one; more tiles than
// blocks stay.
TEST(warpgroups_equal_the_definition) {
  cases::Random random(13);
  const Problem::Shape shapes[] = {
      {1, 64, 7, 9, 72, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // one block of depth
      {5, 96, 11, 13, 33, 1, 1, 1, 1, 0, 0, 1, 1, 1},  // half a block, several tiles of several images
      {2, 16, 9, 8, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},    // four taps in a block
      {1, 48, 11, 13, 33, 3, 3, 2, 2, 1, 1, 1, 1, 1},  // taps that end within a block
      {3, 32, 8, 9, 130, 5, 5, 1, 1, 2, 2, 1, 1, 1},   // tiles of columns, the last nearly empty
      {2, 64, 8, 7, 64, 3, 3, 1, 2, 1, 0, 1, 1, 1},    // a box a tap
      {1, 64, 6, 9, 64, 3, 3, 1, 1, 2, 2, 2, 2, 2},    // groups of 32 channels, and dilation
      {1, 128, 9, 9, 48, 2, 3, 3, 1, 1, 2, 1, 2, 2},   // groups of 64
      {20, 112, 2, 2, 50, 2, 2, 1, 1, 0, 0, 1, 1, 1},  // an inner product
  };
  if (!test_context().device().warpgroups)
    check::skip("products of warp groups need a device of 9.0 and code for 9.0a");
  for (const Problem::Shape& s : shapes)
    for (int shape = 0; shape < kWarpgroupShapes; ++shape)
      for (const bool extremes : {false, true}) {
        std::unique_ptr<Problem> problem;
        // Not every one has signed codes, at aligned places.
        for (int draws = 0; draws < 100; ++draws) {
          problem = std::make_unique<Problem>(s, Problem::Kind{8, 8, extremes}, random);
          if (convolution_fixed_warpgroups_supports(problem->a) && fixed_bound(problem->a).acc_fits_64())
            break;
        }
        CHECK(convolution_fixed_warpgroups_supports(problem->a));
        problem->compare(OnDevice(*problem).result([&](const ConvolutionFixedArguments& a) {
          convolution_fixed_warpgroups(test_context(), a, shape);
        }),
                         expected(*problem), check::text("warp groups, shape ", shape));
      }
}

// The first layer of a net: rows of the window are runs of contiguous bytes at any place.
TEST(few_channels_equal_the_definition) {
  cases::Random random(9);
  const Problem::Shape shapes[] = {
      {1, 3, 17, 19, 20, 7, 7, 2, 2, 0, 0, 1, 1, 1}, {2, 3, 9, 11, 64, 3, 3, 2, 2, 1, 1, 1, 1, 1},
      {1, 1, 12, 12, 20, 5, 5, 1, 1, 0, 0, 1, 1, 1}, {1, 3, 8, 8, 32, 5, 5, 1, 1, 2, 2, 1, 1, 1},
      {1, 20, 9, 9, 50, 5, 5, 1, 1, 3, 0, 1, 1, 1},  {2, 6, 9, 9, 8, 3, 5, 1, 2, 3, 4, 1, 1, 2},
  };
  int checked = 0;
  for (const Problem::Shape& s : shapes)
    for (const int shape : {1, 3}) checked += check_shape(Problem(s, {8, 8}, random), shape);
  CHECK_EQUAL(checked, 12);
}

// What 32 bits cannot hold goes through 64, for some tiles of one layer and not for others.
TEST(channels_with_large_sums_equal_the_definition) {
  cases::Random random(10);
  Problem p({1, 16, 6, 6, 80, 3, 3, 1, 1, 1, 1, 1, 1, 1}, {8, 8}, random);
  p.a.bias = Tensor::of(nullptr, {80});
  p.a.bias.data = p.bias.data();
  p.a.bias.type = DataType::i32;
  p.a.src_fractional_length = 7, p.a.weights_fractional_length = 7;
  p.a.output.fractional_length = 2;
  p.bias[70] = INT32_MAX;
  p.bias[71] = INT32_MIN;
  p.bias[3] = (1 << 24) - 200000;  // the last that fits, about
  CHECK(check_shape(p, 3));
  for (const Rounding rounding :
       {Rounding::half_away_from_zero, Rounding::half_to_even, Rounding::half_up, Rounding::floor})
    for (const int fl : {2, -12, -20, -46}) {  // shifts beyond 32 bits
      p.a.rounding = rounding;
      p.a.output.fractional_length = fl;
      CHECK(check_shape(p, 3));
    }
  p.a.output.fractional_length = 20;  // and to the left
  CHECK(check_shape(p, 3));
}

TEST(kept_weights_follow_their_version) {
  cases::Random random(11);
  Problem p({1, 16, 5, 5, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1}, {8, 8}, random);
  PackedWeights packed;
  p.a.packed = &packed;
  const OnDevice device(p);
  const auto run = [](const ConvolutionFixedArguments& a) { CHECK(cuda::run(test_context(), a)); };
  p.compare(device.result(run), expected(p), "first version");
  const void* memory = packed.data.data();
  std::vector<char> old = p.weights;
  const std::vector<char> first = expected(p);
  for (char& w : p.weights) w = char(-w / 2);
  const auto at_version = [&](int64_t version) {
    return device.result([&](ConvolutionFixedArguments a) {
      a.weights_version = version;
      run(a);
    });
  };
  p.compare(at_version(0), first, "the same version is not packed again");
  p.compare(at_version(1), expected(p), "second version");
  CHECK_EQUAL(packed.data.data(), memory);
  // What the processor packed is not read on the device, nor the other way round.
  ristretto::Context context(1, detect_cpu_features());
  p.a.weights_version = 1;
  const std::vector<char> here =
      p.result([&](const ConvolutionFixedArguments& a) { ConvolutionFixed::run(context, a); });
  p.compare(here, expected(p), "the processor");
  p.compare(at_version(1), expected(p), "the device again");
}

TEST(a_deconvolution_is_left_to_the_processor) {
  cases::Random random(12);
  Problem p({1, 4, 5, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 2, 2}, {8, 8}, random);
  CHECK(!cuda::run(test_context(), p.a));
}
