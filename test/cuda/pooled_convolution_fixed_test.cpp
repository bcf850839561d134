// A convolution with maximum pooling in its tiles gives the codes of one op after the other.
#include "core/op/quantized_convolution/pooled_convolution_fixed.h"

#include "../native/fixed_cases.h"
#include "core/context.h"
#include "cuda/op/quantized_convolution/convolution_fixed.h"
#include "cuda/op/quantized_convolution/fixed_patches.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

using Problem = cases::FixedProblem;

// How many windows of an axis Caffe would make of `size` pixels: the last one starts within the image.
int64_t windows(int64_t size, int64_t kernel, int64_t stride, int64_t pad) {
  int64_t count = std::max<int64_t>(0, size + 2 * pad - kernel + stride - 1) / stride + 1;
  while (count > 1 && (count - 1) * stride >= size + pad) --count;
  return count;
}

// Whether the device pools a random convolution as the processor does, in tiles of `shape`; false where it
// leaves the problem to others.
bool pools_alike(const Problem::Shape& s, const Problem::Kind& kind, const CodeWindow& window, int shape,
                 cases::Random& random) {
  Problem problem(s, kind, random);
  if (!fixed_bound(problem.a).acc_fits_64()) return false;
  const CodeTensor& whole = problem.a.dst;
  cases::Codes pooled(
      whole.type,
      {s.n, windows(whole.height, window.kernel_h, window.stride_h, window.pad_h),
       windows(whole.width, window.kernel_w, window.stride_w, window.pad_w), s.k, random.integer(0, 1),
       random.integer(0, 1), random.integer(0, 1) * 16, random.integer(0, 2) * 8},
      problem.a.relu ? 0 : whole.low, whole.high);
  pooled.fill(random);
  PooledConvolutionFixedArguments a;
  static_cast<ConvolutionFixedArguments&>(a) = problem.a;
  a.window = window;
  a.dst = pooled.view;
  PooledConvolutionFixed::check(a);

  Shared<char> src(problem.src->memory), weights(problem.weights), dst(pooled.memory);
  Shared<int32_t> bias(problem.bias);
  PooledConvolutionFixedArguments there = a;
  there.src = problem.src->in(src.data());
  there.dst = pooled.in(dst.data());
  there.weights.data = weights.data();
  if (there.bias) there.bias.data = bias.data();
  PackedWeights kept;
  if (shape < 0) {
    there.packed = &kept;
    CHECK(cuda::run(test_context(), there));
  } else {
    if (!pooled_convolution_fixed_tiles_supports(there)) return false;
    pooled_convolution_fixed_tiles(test_context(), there, shape);
  }
  test_context().synchronize();

  ristretto::Context here(1, CpuFeatures{});
  PooledConvolutionFixed::run(here, a);
  for (size_t i = 0; i < pooled.memory.size(); ++i)
    CHECK_EQUAL(int(dst[i]), int(pooled.memory[i]), "byte ", i, ", shape ", shape, ", windows of ",
                window.kernel_h, " x ", window.kernel_w, "; ", problem.text());
  return true;
}

const CodeWindow kWindows[] = {
    {3, 3, 2, 2, 0, 0}, {2, 2, 2, 2, 0, 0}, {3, 2, 1, 3, 1, 0}, {3, 3, 2, 2, 1, 1}};

}  // namespace

TEST(every_tile_pools_as_the_definition) {
  cases::Random random(1);
  const Problem::Shape shapes[] = {
      {2, 16, 15, 13, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},  // several patches, two tiles of columns
      {3, 64, 7, 9, 72, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // patches that leave the image
      {1, 64, 9, 9, 64, 3, 3, 1, 1, 2, 2, 2, 2, 2},    // groups
      {2, 3, 21, 19, 20, 7, 7, 2, 2, 0, 0, 1, 1, 1},   // a first layer
      {2, 32, 1, 1, 24, 1, 1, 1, 1, 0, 0, 1, 1, 1},    // a single pixel
  };
  int checked = 0, asked = 0;
  for (const Problem::Shape& s : shapes)
    for (const CodeWindow& window : kWindows)
      for (int shape = -1; shape < kFixedShapes; ++shape)
        for (const Problem::Kind& kind : {Problem::Kind{8, 8}, Problem::Kind{16, 8}, Problem::Kind{8, 4}}) {
          ++asked;
          checked += pools_alike(s, kind, window, shape, random);
        }
  CHECK(2 * checked > asked, checked, " of ", asked);
}

TEST(what_tiles_cannot_pool_goes_by_way_of_memory) {
  cases::Random random(2);
  const Problem::Shape s{2, 16, 15, 13, 10, 3, 3, 1, 1, 1, 1, 1, 1, 1};
  int checked = 0;
  for (int i = 0; i < 4; ++i) {
    checked += pools_alike(s, {8, 16}, kWindows[0], -1, random);
    checked += pools_alike(s, {8, 8}, {9, 9, 2, 2, 0, 0}, -1, random);
  }
  CHECK(checked >= 4, checked);
}

TEST(patches_cover_every_window_once) {
  for (const CodeWindow& window : kWindows)
    for (const auto& [P, Q] : {std::pair{55, 55}, {27, 27}, {1, 1}, {3, 40}, {40, 2}})
      for (const int pixels : {64, 128}) {
        const FixedPatches patches = fixed_patches(window, P, Q, pixels);
        CHECK(patches.any() && patches.height * patches.width <= pixels);
        std::vector<int> met(size_t(2 * P * Q));
        for (int patch = 0; patch < 2 * patches.down * patches.across; ++patch)
          for (int r = 0; r < patches.rows; ++r)
            for (int c = 0; c < patches.columns; ++c) {
              int n, p, q;
              if (patches.output(patch, r, c, P, Q, n, p, q)) ++met[size_t((n * P + p) * Q + q)];
            }
        for (const int times : met) CHECK_EQUAL(times, 1);
      }
}

TEST(windows_of_more_pixels_than_a_tile_are_left_to_others) {
  CHECK(!fixed_patches({13, 13, 13, 13, 0, 0}, 4, 4, 128).any());
  CHECK(fixed_patches({11, 11, 11, 11, 0, 0}, 4, 4, 128).any());
  CHECK(!fixed_patches({1 << 30, 1, 1, 1, 0, 0}, 1, 1, 64).any());
}
