// Fixed-point convolution as an implicit matrix product of Hopper's warp groups: which problems it takes, the
// windows as the copies want them described, and the tile that suits.
#include <algorithm>

#include "cuda/launch.h"
#include "fixed_warpgroups.h"

namespace ristretto::cuda {

namespace {

using Columns128 = FixedWarpgroupShape<128, 4, 1>;
using Columns64 = FixedWarpgroupShape<64, 4, 2>;
using Columns32 = FixedWarpgroupShape<32, 4, 2>;
constexpr int kColumnsOf[kWarpgroupShapes] = {128, 64, 32};

// A block of depth that lies in one tap comes in one copy; filters of one tap may end within it.
bool in_chunks(const FixedRuns& runs) {
  return runs.padded % kFixedBlock != 0 && runs.rows * runs.per_row > 1;
}

WindowedCodes describe_windows(const ConvolutionFixedArguments& a, bool chunks) {
  WindowedCodes codes;
  codes.data = a.src.data;
  codes.channels = a.src.channels;
  codes.width = a.src.width, codes.height = a.src.height, codes.images = a.src.images;
  codes.pixel_bytes = a.src.pixel_stride;
  codes.row_bytes = a.src.row_stride;
  // Of one image nobody asks for the distance to the next.
  codes.image_bytes = a.src.images > 1 ? a.src.image_stride : a.src.height * a.src.row_stride;
  codes.pad_w = int(a.pad_w), codes.pad_h = int(a.pad_h);
  codes.stride_w = int(a.stride_w), codes.stride_h = int(a.stride_h);
  codes.extent_w = int(a.dilation_w * (a.weights.dim[3] - 1) + 1);
  codes.extent_h = int(a.dilation_h * (a.weights.dim[2] - 1) + 1);
  codes.box_channels = chunks ? 16 : kFixedBlock;
  codes.box_windows = Columns128::kRows;
  codes.swizzled = !chunks;
  return codes;
}

// The fewest columns beyond the last; of those the widest tile, which reads each pixel least often.
int best_shape(int64_t columns) {
  int best = kWarpgroupShapes - 1;
  int64_t least = INT64_MAX;
  for (int shape = 0; shape < kWarpgroupShapes; ++shape) {
    const int64_t covered = (columns + kColumnsOf[shape] - 1) / kColumnsOf[shape] * kColumnsOf[shape];
    if (covered < least) least = covered, best = shape;
  }
  return best;
}

template <class Shape, bool kChunks>
void launch_shape(Context& context, FixedWarpgroupsJob& job, int64_t groups) {
  FixedTilesJob& tile = job.tile;
  tile.tiles_n = (tile.runs.columns + Shape::kColumns - 1) / Shape::kColumns;
  job.per_group = int((int64_t{tile.pixels} + Shape::kRows - 1) / Shape::kRows) * tile.tiles_n;
  job.tiles = int(job.per_group * groups);
  job.stay = std::min(job.tiles, context.device().multiprocessors * Shape::kBlocks);
  tile.halo_parts = halo_blocks(tile.dst, Shape::kBlockThreads);
  launch(context, "fixed_warpgroups", Grid{job.stay + tile.halo_parts, 1, 1}, Shape::kBlockThreads,
         FixedWarpgroupMemory<Shape>::kBytes, fixed_warpgroups<Shape, kChunks>, job);
}

template <class Shape>
void launch_columns(Context& context, FixedWarpgroupsJob& job, bool chunks, int64_t groups) {
  if (chunks)
    launch_shape<Shape, true>(context, job, groups);
  else
    launch_shape<Shape, false>(context, job, groups);
}

}  // namespace

bool convolution_fixed_warpgroups_supports(const ConvolutionFixedArguments& a) {
  if (a.src.type != DataType::i8 || !convolution_fixed_tiles_supports(a)) return false;
  const FixedRuns runs = fixed_runs(a);
  if (needs_gather(a, runs) || runs.whole_rows) return false;
  const int64_t pixels = a.dst.images * a.dst.height * a.dst.width;
  const int64_t tiles = (pixels / Columns32::kRows + 1) * (runs.columns / Columns32::kColumns + 1) * a.group;
  return tiles <= int64_t{1} << 30 && describe_fixed_tiles(a, runs).has_long &&
         tensor_map_supports(describe_windows(a, in_chunks(runs)));
}

void convolution_fixed_warpgroups(Context& context, const ConvolutionFixedArguments& a, int shape) {
  const FixedRuns runs = fixed_runs(a);
  const bool chunks = in_chunks(runs);
  FixedWarpgroupsJob job{};
  job.tile = describe_fixed_tiles(a, runs);
  job.map = make_tensor_map(describe_windows(a, chunks));
  job.tile.weights = fixed_weights(context, a, runs, 8);
  job.tile.report = context.nan_report();
  if (shape < 0) shape = best_shape(runs.columns);
  if (shape == 0)
    launch_columns<Columns128>(context, job, chunks, a.group);
  else if (shape == 1)
    launch_columns<Columns64>(context, job, chunks, a.group);
  else
    launch_columns<Columns32>(context, job, chunks, a.group);
}

}  // namespace ristretto::cuda
