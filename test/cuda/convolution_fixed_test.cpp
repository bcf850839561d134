// Fixed-point convolutions on the device equal the definition, bit for bit, halos and neighbours' channels
// included.
#include "cuda/op/quantized_convolution/convolution_fixed.h"

#include <functional>
#include <string>

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
  guarded::vector<char> result(const std::function<void(const ConvolutionFixedArguments&)>& run) const {
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

guarded::vector<char> expected(const Problem& problem) {
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

// In how many bits the device keeps the weights of `problem`: what they take in 8 is more.
int kept_bits(const Problem& problem, const PackedWeights& kept) {
  const FixedRuns runs = fixed_runs(problem.a);
  const int64_t codes = problem.a.group * runs.blocks * runs.columns * kFixedBlock;
  const int64_t sums = (problem.a.dst.channels * int64_t{sizeof(int32_t)} + 255) / 256 * 256;
  return int((int64_t(kept.data.size()) - 256 - 2 * sums) * 8 / codes);
}

// Whole vectors of channels, as the engine lays them out.
bool aligned(const Problem& problem) {
  const CodeTensor& src = problem.a.src;
  return src.pixel_stride % 16 == 0 &&
         (static_cast<const char*>(src.data) - problem.src->memory.data()) % 16 == 0;
}

template <class Place>
void check_banks(const char* what, const Place& place) {
  uint32_t banks = 0;
  for (int i = 0; i < 8; ++i) banks |= 1u << place(i) / 16 % 8;
  CHECK_EQUAL(banks, 255u, what);
}

// Shared memory gives eight vectors at once where no two are in the same four of its 32 banks.
TEST(vectors_that_are_moved_at_once_share_no_bank) {
  for (int first = 0; first < 64; first += 8) {
    for (int v = 0; v < 4; ++v)
      check_banks("rows that are read", [&](int i) { return fixed_place(first + i, v); });
    for (int v = 0; v < 2; ++v)
      check_banks("columns that are read", [&](int i) { return fixed_weights_place<4>(first + i, v); });
    check_banks("rows that are copied", [&](int i) { return fixed_place(first + i / 4, i % 4); });
    check_banks("columns that are copied",
                [&](int i) { return fixed_weights_place<4>(first + i / 2, i % 2); });
  }
}

// Through each shape of tile, codes signed and flipped: depths that end within a block and within a vector of
// weights, columns that fill no tile, groups, several blocks of depth.
TEST(weights_of_4_bits_equal_the_definition) {
  cases::Random random(13);
  const Problem::Shape shapes[] = {
      {1, 16, 5, 5, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},     // half a vector of weights
      {1, 48, 6, 9, 13, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // one and a half
      {1, 80, 7, 9, 72, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // a block and half a vector
      {1, 48, 11, 13, 33, 3, 3, 2, 2, 1, 1, 1, 1, 1},  // taps that end within a vector
      {1, 32, 8, 9, 130, 5, 5, 1, 1, 2, 2, 1, 1, 1},   // two tiles of columns
      {1, 64, 6, 9, 140, 3, 3, 1, 1, 2, 2, 2, 2, 2},   // groups and dilation
      {20, 112, 2, 2, 50, 2, 2, 1, 1, 0, 0, 1, 1, 1},  // an inner product
      {2, 20, 5, 5, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1},     // channels that fill no vector: kept in bytes
  };
  int in_4 = 0, in_8 = 0, flipped = 0;
  for (const Problem::Shape& s : shapes)
    for (int shape = 0; shape < kFixedShapes; ++shape)
      for (const Problem::Kind& kind :
           {Problem::Kind{8, 4}, Problem::Kind{8, 4, true}, Problem::Kind{7, 2}}) {
        Problem problem(s, kind, random);
        PackedWeights kept;
        problem.a.packed = &kept;
        if (!check_shape(problem, shape)) continue;
        const int bits = kept_bits(problem, kept);
        CHECK_EQUAL(bits, s.c % 16 == 0 && aligned(problem) ? 4 : 8, problem.text());
        ++(bits == 4 ? in_4 : in_8);
        flipped += bits == 4 && problem.a.src.type == DataType::u8;
      }
  CHECK(in_4 > 40 && in_8 > 8 && flipped > 8, in_4, " in 4 bits, ", flipped, " of them flipped, ", in_8,
        " in 8");
}

// The largest sums of 4 bits are as large as bytes' are, for they are taken 16-fold.
TEST(weights_of_4_bits_to_the_largest_depth) {
  cases::Random random(14);
  constexpr int64_t kDepth = 131056, kPixels = 2;
  Problem::Shape s{1, kDepth, 1, kPixels, 5, 1, 1, 1, 1, 0, 0, 1, 1, 1};
  Problem p(s, {8, 4}, random);
  while (p.a.src.low == 0 || !aligned(p)) p = Problem(s, {8, 4}, random);
  for (int64_t pixel = 0; pixel < kPixels; ++pixel)
    for (int64_t c = 0; c < kDepth; ++c) p.src->view.set_code(0, 0, pixel, c, pixel == 0 ? -128 : 127);
  for (int64_t i = 0; i < kDepth; ++i) {
    const int codes[] = {-8, 7, i % 2 ? 7 : -8, i % 3 ? 0 : -8, -1};
    for (int k = 0; k < 5; ++k) p.weights[size_t(k * kDepth + i)] = char(codes[k]);
  }
  p.a.requantises = false;
  p.a.relu = false;
  p.a.src_fractional_length = p.a.weights_fractional_length = 0;
  p.a.output = {8, -21};  // 131056 * 1024 is 64 of them
  CHECK(check_shape(p, 3));
  PackedWeights kept;
  p.a.packed = &kept;
  CHECK(check_shape(p, 3));
  CHECK_EQUAL(kept_bits(p, kept), 4);
  s.c = kDepth + 16;
  CHECK(!convolution_fixed_tiles_supports(Problem(s, {8, 4}, random).a));
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
  guarded::vector<char> old = p.weights;
  const guarded::vector<char> first = expected(p);
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
  const guarded::vector<char> here =
      p.result([&](const ConvolutionFixedArguments& a) { ConvolutionFixed::run(context, a); });
  p.compare(here, expected(p), "the processor");
  p.compare(at_version(1), expected(p), "the device again");
}

TEST(kept_weights_follow_the_bits_they_are_said_to_take) {
  cases::Random random(15);
  const Problem::Shape s{1, 16, 5, 5, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1};
  Problem p(s, {8, 4, true}, random);
  while (!aligned(p)) p = Problem(s, {8, 4, true}, random);
  PackedWeights packed;
  p.a.packed = &packed;
  const OnDevice device(p);
  const auto at = [&](int bits, int64_t version) {
    return device.result([&](ConvolutionFixedArguments a) {
      a.weights_bit_width = bits, a.weights_version = version;
      CHECK(cuda::run(test_context(), a));
    });
  };
  for (const int bits : {4, 0, 4, 5, 8, 4}) {
    p.compare(at(bits, 0), expected(p), check::text(bits, " bits"));
    CHECK_EQUAL(kept_bits(p, packed), bits == 4 ? 4 : 8);
  }
  const guarded::vector<char> first = expected(p);
  for (char& w : p.weights) w = char(-1 - w);
  CHECK(expected(p) != first);
  p.compare(at(4, 0), first, "the same version is not packed again");
  p.compare(at(4, 1), expected(p), "second version");
}

// Whatever was said of them, weights never become other weights.
TEST(weights_of_more_bits_than_was_said_are_refused) {
  cases::Random random(16);
  const Problem::Shape s{1, 48, 5, 5, 40, 1, 1, 1, 1, 0, 0, 1, 1, 1};
  Problem p(s, {8, 4, true}, random);
  while (!aligned(p)) p = Problem(s, {8, 4, true}, random);
  const OnDevice device(p);
  PackedWeights packed;
  const auto error = [&](PackedWeights* kept, int64_t version, const char* label) {
    try {
      test_context().begin_op(label);
      device.result([&](ConvolutionFixedArguments a) {
        a.packed = kept, a.weights_version = version;
        CHECK(cuda::run(test_context(), a));
      });
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const std::string refusal = "layer: weights take more bits than was said";
  CHECK_EQUAL(error(&packed, 0, "layer"), "");
  int64_t version = 0;
  for (const int code : {8, -9, 127, -128})
    for (const size_t at : {size_t{0}, p.weights.size() / 2 + 7, p.weights.size() - 1}) {
      const char right = p.weights[at];
      p.weights[at] = char(code);
      ++version;
      CHECK_EQUAL(error(&packed, version, "layer"), refusal, code, " at ", at);
      CHECK_EQUAL(error(&packed, version, "layer"), refusal, "and what was kept of them");
      CHECK_EQUAL(error(nullptr, version, "layer"), refusal);
      p.weights[at] = right;
    }
  CHECK_EQUAL(error(&packed, version + 1, "layer"), "");
  p.weights[5] = 8;
  p.a.weights_bit_width = 5;
  CHECK(check_run(p));
}

// Of a source that is spread, some taps fall between its elements: strides, pads and dilations with and
// without a common factor, outputs that no tap reaches, groups, all widths of codes and weights.
TEST(deconvolutions_equal_the_definition) {
  cases::Random random(12);
  const Problem::Shape shapes[] = {
      {2, 4, 5, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 2, 2},      // a deconvolution of stride 2
      {1, 16, 4, 6, 20, 4, 4, 1, 1, 2, 2, 1, 1, 1, 2, 2},    // channels in whole vectors
      {1, 3, 4, 5, 6, 2, 1, 1, 1, 0, 0, 1, 1, 3, 3, 4},      // fewer taps than gaps
      {1, 5, 5, 4, 7, 3, 3, 1, 1, 3, 3, 2, 2, 1, 2, 4},      // dilation and gaps have a common factor
      {1, 6, 3, 7, 4, 3, 4, 2, 3, 2, 1, 3, 1, 2, 2, 1},      // strides as well, gaps along one axis
      {2, 2, 1, 1, 3, 7, 7, 1, 1, 6, 6, 1, 1, 1, 1000, 999}  // one element
  };
  int checked = 0;
  for (const Problem::Shape& s : shapes)
    for (const Problem::Kind& kind :
         {Problem::Kind{8, 8}, Problem::Kind{8, 8, true}, Problem::Kind{16, 8}, Problem::Kind{8, 16}})
      for (int i = 0; i < 2; ++i) checked += check_run(Problem(s, kind, random));
  for (int i = 0; i < 20; ++i) {
    Problem::Shape s = small_shape(random);
    s.spread_h = random.integer(1, 4), s.spread_w = random.integer(2, 3);
    checked += check_run(Problem(s, {8, 8}, random));
  }
  CHECK(checked > 40, checked);
}
