// The kernel of convolution_fixed_warpgroups.cu. Blocks stay: each takes one tile after the other, 128 pixels
// by kColumns channels. One thread keeps copies of the next blocks of depth under way, past the end of a tile
// into the next one; two groups of four warps multiply what has arrived, and turn sums to codes meanwhile.
#pragma once

#include "cuda/warpgroup.h"
#include "fixed_tiles.h"

namespace ristretto::cuda {

struct FixedWarpgroupsJob {
  FixedTilesJob tile;
  TensorMap map;
  int per_group, tiles;  // of a group of channels, of all
  int stay;              // blocks that take tiles; those behind them fill the halo
};

template <int kTileColumns, int kStageCount, int kResident>
struct FixedWarpgroupShape {
  static constexpr int kRows = 128, kColumns = kTileColumns;
  static constexpr int kThreads = 2 * 4 * kWarp;  // that multiply; a warp more copies
  static constexpr int kBlockThreads = kThreads + kWarp;
  static constexpr int kStages = kStageCount, kBlocks = kResident;
  static constexpr int kWeightBits = 8;
  static constexpr int kWarpRows = 16, kWarpColumns = kColumns, kWarpsAcross = 1;
  static constexpr int kFragmentRows = 1, kFragmentColumns = kColumns / 8;
  static constexpr int kStageBytes = (kRows + kColumns) * kFixedBlock;
  static constexpr int kCodesBytes = kRows * (2 * kColumns + 16);
  static RISTRETTO_DEVICE void barrier() { group_barrier(1, kThreads); }
};

// Behind a tile's memory: for each stage whether it is full, and whether it is empty.
template <class Shape>
struct FixedWarpgroupMemory {
  static constexpr int kFullAt = (FixedTileMemory<Shape>::kBytes + 7) / 8 * 8;
  static constexpr int kEmptyAt = kFullAt + Shape::kStages * 8;
  static constexpr int kBytes = kEmptyAt + Shape::kStages * 8;
};

// A ring of stages: which one is next, and the parity of its phase.
template <int kStages>
struct StageRing {
  int slot = 0, parity = 0;
  RISTRETTO_DEVICE void next() {
    if (++slot < kStages) return;
    slot = 0;
    parity ^= 1;
  }
};

struct FixedWarpgroupTile {
  uint32_t first_pixel;
  int first_column, group;
};
// Neighbouring blocks take the same pixels: what they read of them comes from the cache.
template <class Shape>
RISTRETTO_DEVICE FixedWarpgroupTile warpgroup_tile(const FixedWarpgroupsJob& job, int index) {
  const int in_group = index % job.per_group, tiles_n = job.tile.tiles_n;
  return {uint32_t(in_group / tiles_n) * Shape::kRows, in_group % tiles_n * Shape::kColumns,
          index / job.per_group};
}

// One thread: the copies of all of this block's tiles. A block of depth lies in one tap and comes as one box
// of 64 channels, or as vectors of 16 channels, each with a tap of its own.
template <class Shape, bool kChunks>
RISTRETTO_DEVICE void copy_tiles(const FixedWarpgroupsJob& job, const TensorMap* map) {
  using Memory = FixedWarpgroupMemory<Shape>;
  const FixedTilesJob& tile = job.tile;
  const FixedRuns& runs = tile.runs;
  uint64_t* full = shared_memory<uint64_t>(Memory::kFullAt);
  uint64_t* empty = shared_memory<uint64_t>(Memory::kEmptyAt);
  constexpr int kCopies = kChunks ? kFixedBlock / 16 : 1, kCopied = kFixedBlock / kCopies;
  StageRing<Shape::kStages> ring;
  for (int index = block_index(); index < job.tiles; index += job.stay) {
    const auto [first_pixel, first_column, group] = warpgroup_tile<Shape>(job, index);
    const int q = int(first_pixel % uint32_t(tile.Q)), np = int(first_pixel / uint32_t(tile.Q));
    const int w = q * tile.stride_w - tile.pad_w, h = np % tile.P * tile.stride_h - tile.pad_h,
              n = np / tile.P;
    const int columns_left = runs.columns - first_column;
    const int columns = columns_left < Shape::kColumns ? columns_left : Shape::kColumns;
    const char* weights =
        tile.weights.codes + (int64_t{group} * runs.blocks * runs.columns + first_column) * kFixedBlock;
    int c = 0, dw = 0, dh = 0, left = kChunks ? runs.depth() / kCopied : runs.blocks;
    for (int block = 0; block < runs.blocks; ++block, ring.next()) {
      char* stage = shared_memory<char>(ring.slot * Shape::kStageBytes);
      const int copies = std::min(kCopies, left);
      left -= copies;
      barrier_wait(empty + ring.slot, ring.parity ^ 1);
      barrier_expect(full + ring.slot, copies * Shape::kRows * kCopied + columns * kFixedBlock);
      copy_bulk(stage + Shape::kRows * kFixedBlock, weights, columns * kFixedBlock, full + ring.slot);
      weights += int64_t{runs.columns} * kFixedBlock;
      for (int i = 0; i < copies; ++i) {
        copy_windows(stage + i * Shape::kRows * kCopied, map, full + ring.slot, group * tile.group_bytes + c,
                     w, h, n, dw, dh);
        c += kCopied;
        if (c < runs.padded) continue;
        c = 0;
        dw += tile.dilation_w;
        if (dw < runs.per_row * tile.dilation_w) continue;
        dw = 0;
        dh += tile.dilation_h;
      }
    }
  }
}

// The eight warps that multiply: sums of one tile after the other, and their codes.
template <class Shape, bool kChunks>
RISTRETTO_DEVICE void multiply_tiles(const FixedWarpgroupsJob& job) {
  using Memory = FixedWarpgroupMemory<Shape>;
  const FixedTilesJob& tile = job.tile;
  uint64_t* full = shared_memory<uint64_t>(Memory::kFullAt);
  uint64_t* empty = shared_memory<uint64_t>(Memory::kEmptyAt);
  const int depth = tile.runs.depth(), rows = warp_index() / 4 * 64;
  constexpr int kChunkBytes = Shape::kRows * 16;
  const auto left_operand = [&](const char* stage, int half) {
    if constexpr (kChunks) return chunked_matrix(stage + 2 * half * kChunkBytes + rows * 16, kChunkBytes);
    return swizzled_matrix(stage + rows * kFixedBlock + half * 32);
  };
  StageRing<Shape::kStages> ring;
  for (int index = block_index(); index < job.tiles; index += job.stay) {
    const auto [first_pixel, first_column, group] = warpgroup_tile<Shape>(job, index);
    Shape::barrier();  // nobody reads the last tile's rows or codes any more
    prepare_fixed_tile<Shape, false>(tile, first_pixel, first_column, group);
    int32_t acc[1][Shape::kFragmentColumns][4];
    int last_slot = 0;
#pragma unroll 1
    for (int block = 0; block < tile.runs.blocks; ++block, ring.next()) {
      const char* stage = shared_memory<char>(ring.slot * Shape::kStageBytes);
      const char* columns = stage + Shape::kRows * kFixedBlock;
      barrier_wait(full + ring.slot, ring.parity);
      warpgroup_begin();
      multiply_warpgroup(acc[0], left_operand(stage, 0), swizzled_matrix(columns), block > 0);
      if (block * kFixedBlock + kFixedBlock / 2 < depth)
        multiply_warpgroup(acc[0], left_operand(stage, 1), swizzled_matrix(columns + 32), true);
      warpgroup_commit();
      // The products before these are done: their stage may be filled again.
      warpgroup_wait<1>(acc[0]);
      if (block > 0 && lane_index() == 0) barrier_arrive(empty + last_slot);
      last_slot = ring.slot;
    }
    warpgroup_wait<0>(acc[0]);
    if (lane_index() == 0) barrier_arrive(empty + last_slot);
    if (first_column + Shape::kColumns > tile.runs.columns) {
      // Columns behind the last had whatever was in memory for weights.
#pragma unroll
      for (int j = 0; j < Shape::kFragmentColumns; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e)
          if (first_column + 8 * j + lane_index() % 4 * 2 + e % 2 >= tile.runs.columns) acc[0][j][e] = 0;
    }
    Shape::barrier();  // rows and channels are there
    if (!*shared_memory<int>(FixedTileMemory<Shape>::kWideAt))
      store_by_steps<Shape, false, false>(tile, acc, first_pixel, first_column, group);
    else
      store_by_steps<Shape, false, true>(tile, acc, first_pixel, first_column, group);
  }
}

template <class Shape, bool kChunks>
RISTRETTO_KERNEL(Shape::kBlockThreads, Shape::kBlocks)
fixed_warpgroups(RISTRETTO_KEPT_PARAMETER FixedWarpgroupsJob job) {
  if constexpr (kHasWarpgroups) {
    using Memory = FixedWarpgroupMemory<Shape>;
    if (block_index() >= job.stay) {
      fill_halo_part(job.tile.dst, job.tile.halo_access, block_index() - job.stay, job.tile.halo_parts);
      return;
    }
    if (thread_index() == 0) {
      for (int slot = 0; slot < Shape::kStages; ++slot) {
        barrier_init(shared_memory<uint64_t>(Memory::kFullAt) + slot, 1);
        barrier_init(shared_memory<uint64_t>(Memory::kEmptyAt) + slot, Shape::kThreads / kWarp);
      }
      publish_barriers();
    }
    block_barrier();
    if (thread_index() < Shape::kThreads)
      multiply_tiles<Shape, kChunks>(job);
    else if (thread_index() == Shape::kThreads)
      copy_tiles<Shape, kChunks>(job, &job.map);
  }
}

}  // namespace ristretto::cuda
