// Fixed-point convolution as an implicit matrix product on int8 tensor cores: the problem in the kernel's
// words, and the tile that suits it.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "cuda/launch.h"
#include "fixed_tiles.h"

namespace ristretto::cuda {

namespace {

using Tile128x128 = FixedTileShape<128, 128, 4, 2, 3, 2>;
using Tile128x64 = FixedTileShape<128, 64, 4, 1, 3, 4>;
using Tile64x64 = FixedTileShape<64, 64, 2, 2, 4, 4>;
using Tile64x32 = FixedTileShape<64, 32, 4, 1, 4, 6>;
// Of weights in 4 bits. The largest has a stage more in the shared memory that its blocks leave.
using Int4Tile128x128 = FixedTileShape<128, 128, 4, 2, 4, 2, 4>;
using Int4Tile128x64 = FixedTileShape<128, 64, 4, 1, 3, 4, 4>;
using Int4Tile64x64 = FixedTileShape<64, 64, 2, 2, 4, 4, 4>;
using Int4Tile64x32 = FixedTileShape<64, 32, 4, 1, 4, 6, 4>;

// Time of a product's element, relative: smaller tiles read more for it.
struct ShapeCost {
  int rows, columns;
  double cost;
};
constexpr ShapeCost kShapes[kFixedShapes] = {{128, 128, 1.0}, {128, 64, 1.1}, {64, 64, 1.25}, {64, 32, 1.6}};

bool has_shape(int shape, bool gather, bool words) {
  if (gather && words) return shape == 3;
  if (gather) return shape == 1 || shape == 3;
  return !words || shape >= 2;
}

int64_t tiles_of(int64_t pixels, int64_t columns, int shape) {
  const ShapeCost& s = kShapes[shape];
  return (pixels + s.rows - 1) / s.rows * ((columns + s.columns - 1) / s.columns);
}

// A problem, and the pooling behind it where there is one.
struct Pooling {
  const CodeWindow* window = nullptr;
  int64_t images = 0, height = 0, width = 0;  // of its output
};

// Tiles of rows: of pixels in their order, or of patches; 0 where a tile has no room for a window.
int64_t row_tiles(int64_t pixels, const Pooling& pooling, int rows) {
  if (!pooling.window) return (pixels + rows - 1) / rows;
  const FixedPatches patches = fixed_patches(*pooling.window, pooling.height, pooling.width, rows);
  return pooling.images * patches.down * patches.across;
}

// The multiprocessor with the most tiles ends last. -1 where no tile will do.
int best_shape(const Context& context, int64_t pixels, const Pooling& pooling, const FixedRuns& runs,
               int64_t groups, bool gather) {
  int best = -1;
  double least = INFINITY;
  for (int shape = 0; shape < kFixedShapes; ++shape) {
    const int64_t of_rows = row_tiles(pixels, pooling, kShapes[shape].rows);
    if (!has_shape(shape, gather, runs.words) || of_rows == 0) continue;
    const int64_t of_columns = (runs.columns + kShapes[shape].columns - 1) / kShapes[shape].columns;
    const int64_t tiles = of_rows * of_columns * groups;
    const int64_t most = (tiles + context.device().multiprocessors - 1) / context.device().multiprocessors;
    const double time = double(most) * kShapes[shape].rows * kShapes[shape].columns * kShapes[shape].cost;
    if (time < least) least = time, best = shape;
  }
  return best;
}

// As make_fixed_step, for shifts of 0 to 62.
LongStep make_long_step(const Requantise& r) {
  LongStep step;
  step.low = r.low, step.high = r.high;
  step.right = r.shift;
  if (r.shift == 0) return step;
  const int64_t half = int64_t{1} << (r.shift - 1);
  if (r.rounding == Rounding::half_away_from_zero) {
    step.add = half, step.mask = -1;
  } else if (r.rounding == Rounding::half_to_even) {
    step.add = half - 1, step.sign_shift = r.shift, step.mask = 1;
  } else if (r.rounding == Rounding::half_up) {
    step.add = half;
  }
  return step;
}

void describe_epilogue(const ConvolutionFixedArguments& a, FixedTilesJob& job) {
  job.epilogue = epilogue_of(a);
  const FixedEpilogue& e = job.epilogue;
  const std::optional<FixedStep> output = make_fixed_step(e.output);
  std::optional<FixedStep> consumer;
  if (e.has_consumer) consumer = make_fixed_code_step(e.consumer);
  job.has_narrow = output && (!e.has_consumer || consumer);
  if (job.has_narrow) {
    job.output = *output;
    if (consumer) job.consumer = *consumer;
    // Behind a ReLU nobody sees which way negative ties went.
    job.quick = !e.has_consumer && (job.output.mask == 0 || (e.relu && job.output.mask < 0));
    if (job.quick && e.relu) job.output.low = 0;
  }
  job.has_long = e.output.shift >= 0 && e.output.shift <= 62 && (!e.has_consumer || consumer);
  if (job.has_long) {
    if (consumer) job.consumer = *consumer;
    job.long_output = make_long_step(e.output);
  }
  job.long_sum_factor = e.sum_shift < 63 ? int64_t{1} << e.sum_shift : 0;
  // Larger shifts prove to be too large, unless all sums are 0.
  job.sum_factor = e.sum_shift < 31 ? int32_t{1} << e.sum_shift : 0;
  job.largest = std::max(std::abs(a.src.low), std::abs(a.src.high));
  job.sum_scale = std::ldexp(1.0, e.sum_shift);
  job.bias_scale = std::ldexp(1.0, e.bias_shift);
  job.half = e.output.shift > 0 ? std::ldexp(1.0, e.output.shift - 1) : 0.0;
}

template <class Shape, bool kGather, bool kWords>
void launch_shape(Context& context, FixedTilesJob& job, const Pooling& pooling, int64_t groups) {
  if (pooling.window)
    job.patches = fixed_patches(*pooling.window, pooling.height, pooling.width, Shape::kRows);
  job.tiles_n = (job.runs.columns + Shape::kColumns - 1) / Shape::kColumns;
  job.tiles = int(row_tiles(job.pixels, pooling, Shape::kRows) * job.tiles_n);
  job.halo_parts = halo_blocks(job.dst, Shape::kThreads);
  launch(context, "fixed_tiles", Grid{job.tiles + job.halo_parts, 1, int(groups)}, Shape::kThreads,
         FixedTileMemory<Shape>::kBytes, fixed_tiles<Shape, kGather, kWords>, job);
}

// Where results go, and how wide the accesses are.
void place_output(const CodeTensor& dst, int64_t groups, FixedTilesJob& job) {
  job.dst = dst;
  job.halo_access = job.access = access_bytes(dst);
  if (groups > 1) {
    const int64_t group_bytes = job.group_k * dst.element_bytes();
    job.access = std::min(job.access, group_bytes % 16 == 0 ? 16 : group_bytes % 4 == 0 ? 4 : 1);
  }
}

// What takes no more than 4 bits: those of bytes, which are read in whole vectors.
int bits_of_weights(const ConvolutionFixedArguments& a, const FixedRuns& runs, bool gather) {
  return a.weights_bit_width >= 1 && a.weights_bit_width <= 4 && !runs.words && !gather ? 4 : 8;
}

void launch_tiles(Context& context, const ConvolutionFixedArguments& a, FixedTilesJob& job,
                  const Pooling& pooling, int shape) {
  const FixedRuns& runs = job.runs;
  const int64_t groups = a.group;
  const bool gather = needs_gather(a, runs);
  const int bits = bits_of_weights(a, runs, gather);
  job.weights = fixed_weights(context, a, runs, bits);
  job.report = context.nan_report();
  if (shape < 0) shape = best_shape(context, job.pixels, pooling, runs, groups, gather);
  while (!has_shape(shape, gather, runs.words)) ++shape;
  if (gather && runs.words)
    launch_shape<Tile64x32, true, true>(context, job, pooling, groups);
  else if (gather && shape == 1)
    launch_shape<Tile128x64, true, false>(context, job, pooling, groups);
  else if (gather)
    launch_shape<Tile64x32, true, false>(context, job, pooling, groups);
  else if (runs.words && shape == 2)
    launch_shape<Tile64x64, false, true>(context, job, pooling, groups);
  else if (runs.words)
    launch_shape<Tile64x32, false, true>(context, job, pooling, groups);
  else if (bits == 4 && shape == 0)
    launch_shape<Int4Tile128x128, false, false>(context, job, pooling, groups);
  else if (bits == 4 && shape == 1)
    launch_shape<Int4Tile128x64, false, false>(context, job, pooling, groups);
  else if (bits == 4 && shape == 2)
    launch_shape<Int4Tile64x64, false, false>(context, job, pooling, groups);
  else if (bits == 4)
    launch_shape<Int4Tile64x32, false, false>(context, job, pooling, groups);
  else if (shape == 0)
    launch_shape<Tile128x128, false, false>(context, job, pooling, groups);
  else if (shape == 1)
    launch_shape<Tile128x64, false, false>(context, job, pooling, groups);
  else if (shape == 2)
    launch_shape<Tile64x64, false, false>(context, job, pooling, groups);
  else
    launch_shape<Tile64x32, false, false>(context, job, pooling, groups);
}

}  // namespace

bool needs_gather(const ConvolutionFixedArguments& a, const FixedRuns& runs) {
  const int64_t b = a.src.element_bytes();
  return runs.bytes % 16 != 0 ||
         (reinterpret_cast<uintptr_t>(a.src.data) | uint64_t(a.src.pixel_stride * b) |
          uint64_t(a.src.row_stride * b) | uint64_t(a.src.images > 1 ? a.src.image_stride * b : 0)) %
                 16 !=
             0;
}

FixedTilesJob describe_fixed_tiles(const ConvolutionFixedArguments& a, const FixedRuns& runs) {
  FixedTilesJob job{};
  const int64_t b = a.src.element_bytes();
  job.src = static_cast<const char*>(a.src.data);
  job.image_bytes = a.src.image_stride * b;
  job.row_bytes = a.src.row_stride * b;
  job.pixel_bytes = a.src.pixel_stride * b;
  job.halo_h = int(a.src.halo_h), job.halo_w = int(a.src.halo_w);
  job.height = int(a.src.height + 2 * a.src.halo_h), job.width = int(a.src.width + 2 * a.src.halo_w);
  job.stride_h = int(a.stride_h), job.stride_w = int(a.stride_w);
  job.pad_h = int(a.pad_h), job.pad_w = int(a.pad_w);
  job.dilation_h = int(a.dilation_h), job.dilation_w = int(a.dilation_w);
  job.down_bytes = int(a.dilation_h * job.row_bytes), job.right_bytes = int(a.dilation_w * job.pixel_bytes);
  job.checked = a.pad_h > a.src.halo_h || a.pad_w > a.src.halo_w;
  job.P = int(a.dst.height), job.Q = int(a.dst.width);
  job.pixels = uint32_t(a.dst.images * a.dst.height * a.dst.width);
  job.group_k = int(a.dst.channels / a.group);
  job.group_bytes = int(a.src.channels / a.group * b);
  job.runs = runs;
  job.bias = static_cast<const int32_t*>(a.bias.data);
  job.flip = a.src.type == DataType::u8 ? 0x80808080u : a.src.type == DataType::i16 ? 0x00800080u : 0u;
  job.zero = a.src.type == DataType::u8 ? 0x80808080u : 0u;
  place_output(a.dst, a.group, job);
  describe_epilogue(a, job);
  return job;
}

bool convolution_fixed_tiles_supports(const ConvolutionFixedArguments& a) {
  if (a.weights.type != DataType::i8 || a.group > 65535) return false;
  constexpr int64_t kMost = int64_t{1} << 30;
  const int64_t b = a.src.element_bytes(), depth = a.weights.count(1);
  // The sums of a column: codes and weights are of 8 bits, low bytes unsigned.
  if (depth * 128 * (b == 2 ? 256 : 128) > INT32_MAX) return false;
  const int64_t pixels = a.dst.images * a.dst.height * a.dst.width;
  for (const int64_t value : {pixels, a.src.height + 2 * a.src.halo_h + 2 * a.pad_h, a.dst.channels * 2,
                              (a.src.width + 2 * a.src.halo_w + 2 * a.pad_w) * a.src.pixel_stride * b,
                              a.weights.dim[2] * a.dilation_h * a.src.row_stride * b +
                                  a.weights.dim[3] * a.dilation_w * a.src.pixel_stride * b +
                                  16 * a.weights.dim[2] * a.weights.dim[3],
                              tiles_of(pixels, a.dst.channels * 2, kFixedShapes - 1)})
    if (value > kMost) return false;
  return true;
}

void convolution_fixed_tiles(Context& context, const ConvolutionFixedArguments& a, int shape) {
  const FixedRuns runs = fixed_runs(a);
  FixedTilesJob job = describe_fixed_tiles(a, runs);
  launch_tiles(context, a, job, {}, shape);
}

bool pooled_convolution_fixed_tiles_supports(const PooledConvolutionFixedArguments& a) {
  const ConvolutionFixedArguments convolution = convolution_of(a, nullptr);
  if (!convolution_fixed_tiles_supports(convolution)) return false;
  const FixedRuns runs = fixed_runs(convolution);
  const CodeWindow& w = a.window;
  // Tiles of 64 rows are there for all kinds; every window must have a pixel.
  return fixed_patches(w, a.dst.height, a.dst.width, kShapes[kFixedShapes - 1].rows).any() &&
         (a.dst.height - 1) * w.stride_h - w.pad_h < convolution.dst.height &&
         (a.dst.width - 1) * w.stride_w - w.pad_w < convolution.dst.width &&
         describe_fixed_tiles(convolution, runs).has_long;
}

void pooled_convolution_fixed_tiles(Context& context, const PooledConvolutionFixedArguments& a, int shape) {
  const ConvolutionFixedArguments convolution = convolution_of(a, nullptr);
  FixedTilesJob job = describe_fixed_tiles(convolution, fixed_runs(convolution));
  place_output(a.dst, a.group, job);
  launch_tiles(context, convolution, job, {&a.window, a.dst.images, a.dst.height, a.dst.width}, shape);
}

}  // namespace ristretto::cuda
