// The kernel of convolution_fixed_tiles.cu: a block multiplies the windows of kRows pixels with the weights
// of kColumns columns on tensor cores, 64 codes of depth at a time. The blocks of depth that come next are on
// their way to shared memory meanwhile. Weights of 4 bits become bytes in registers, ahead of the product.
#pragma once

#include "fixed_tiles_job.h"
#include "fixed_tiles_store.h"

namespace ristretto::cuda {

// 16 bytes from `place` on of a run of which the bytes [begin, end) may be read, the others being code 0.
// Words are read whole that hold a byte which may be.
RISTRETTO_DEVICE Vector16 gather_bytes(const char* run, int place, int begin, int end, uint32_t zero) {
  const char* from = run + place;
  const int beyond = int(reinterpret_cast<uintptr_t>(from) & 3);
  const uint32_t* words = reinterpret_cast<const uint32_t*>(from - beyond);
  const bool any = begin < end;
  uint32_t read[5];
#pragma unroll
  for (int i = 0; i < 5; ++i) {
    const int first = place - beyond + 4 * i;
    read[i] = any && first + 4 > begin && first < end ? words[i] : zero;
  }
  Vector16 v;
#pragma unroll
  for (int i = 0; i < 4; ++i) v.word[i] = uint32_t((uint64_t{read[i + 1]} << 32 | read[i]) >> (8 * beyond));
  if (begin > place || end < place + 16) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int low = begin - place - 4 * i, high = end - place - 4 * i;
      const uint32_t from_low = low <= 0 ? ~0u : low >= 4 ? 0u : ~0u << (8 * low);
      const uint32_t to_high = high <= 0 ? 0u : high >= 4 ? ~0u : ~(~0u << (8 * high));
      v.word[i] = (v.word[i] & from_low & to_high) | (zero & ~(from_low & to_high));
    }
  }
  return v;
}

// The part of a block's work that does not depend on depth: its rows and its channels.
template <class Shape, bool kWords>
RISTRETTO_DEVICE void prepare_fixed_tile(const FixedTilesJob& job, uint32_t first_pixel, int first_column,
                                         int group) {
  using Memory = FixedTileMemory<Shape>;
  FixedTileRow* rows = shared_memory<FixedTileRow>(Memory::kRowsAt);
  FixedTileChannel* channels = shared_memory<FixedTileChannel>(Memory::kChannelsAt);
  int* wide = shared_memory<int>(Memory::kWideAt);
  for (int i = thread_index(); i < Shape::kRows; i += Shape::kThreads) {
    int n, p, q;
    if (job.patches.any()) {
      job.patches.place(int(first_pixel / Shape::kRows), i, job.P, job.Q, n, p, q);
    } else {
      // Rows behind the last pixel compute its like, and store nothing.
      const uint32_t m = first_pixel + uint32_t(i) < job.pixels ? first_pixel + uint32_t(i) : job.pixels - 1;
      const uint32_t np = m / uint32_t(job.Q);
      q = int(m % uint32_t(job.Q)), p = int(np % uint32_t(job.P)), n = int(np / uint32_t(job.P));
    }
    const int y = p * job.stride_h - job.pad_h, x = q * job.stride_w - job.pad_w;
    rows[i].src =
        n * job.image_bytes + y * job.row_bytes + x * job.pixel_bytes + int64_t{group} * job.group_bytes;
    if (!job.patches.any()) rows[i].dst = job.dst.offset(n, p, q) * job.dst.element_bytes();
    rows[i].y = y + job.halo_h;
    rows[i].x = x + job.halo_w;
  }
  if (thread_index() == 0) *wide = job.has_narrow ? 0 : 1;
  Shape::barrier();
  constexpr int kChannels = Shape::kColumns / (kWords ? 2 : 1);
  for (int i = thread_index(); i < kChannels; i += Shape::kThreads) {
    const int in_group = first_column / (kWords ? 2 : 1) + i, k = group * job.group_k + in_group;
    if (in_group >= job.group_k) {
      channels[i] = FixedTileChannel{0, 0, 0};
      continue;
    }
    if (Shape::kWeightBits == 4 && job.weights.magnitude[k] < 0) job.report.tell(Fault::weights_bits);
    const int32_t bias = job.bias ? job.bias[k] : 0;
    const double bound = job.largest * job.weights.magnitude[k] * job.sum_scale +
                         (bias < 0 ? -double(bias) : double(bias)) * job.bias_scale + job.half;
    if (!(bound <= 2147483647.0)) *wide = 1;
    const uint32_t shifted = uint32_t(bias) << (job.epilogue.bias_shift & 31);
    channels[i].bias = bias;
    channels[i].start = int32_t((bias == 0 ? 0 : shifted) + (job.quick ? uint32_t(job.output.add) : 0u));
    channels[i].low = kWords ? 128 * job.weights.total[k] : 0;
  }
}

template <class Shape, bool kGather, bool kWords>
RISTRETTO_KERNEL(Shape::kThreads, Shape::kBlocks)
fixed_tiles(FixedTilesJob job) {
  using Memory = FixedTileMemory<Shape>;
  if (block_index() >= job.tiles) {
    if (block_index(2) == 0)
      fill_halo_part(job.dst, job.halo_access, block_index() - job.tiles, job.halo_parts);
    return;
  }
  // Neighbouring blocks take the same pixels: what they read of them comes from the cache.
  const uint32_t first_pixel = uint32_t(block_index() / job.tiles_n) * Shape::kRows;
  const int first_column = block_index() % job.tiles_n * Shape::kColumns, group = block_index(2);
  prepare_fixed_tile<Shape, kWords>(job, first_pixel, first_column, group);

  // ---- what this thread copies: one vector of 16 bytes of some rows and columns ----
  const int lane = lane_index(), chunk = thread_index() % 4, copied = thread_index() / 4;
  const FixedTileRow* rows = shared_memory<FixedTileRow>(Memory::kRowsAt);
  const char* window[Shape::kCopiedRows];
  int y[Shape::kCopiedRows], x[Shape::kCopiedRows];
#pragma unroll
  for (int i = 0; i < Shape::kCopiedRows; ++i) {
    const FixedTileRow& row = rows[copied + i * Shape::kApart];
    window[i] = job.src + row.src;
    y[i] = row.y, x[i] = row.x;
  }
  const int copied_column = thread_index() / Shape::kColumnVectors;
  const int column_place =
      fixed_weights_place<Shape::kWeightBits>(copied_column, thread_index() % Shape::kColumnVectors);
  const char* column =
      job.weights.codes +
      (int64_t{group} * job.runs.blocks * job.runs.columns + first_column) * Shape::kColumnBytes +
      column_place;
  const int columns_left = job.runs.columns - first_column - copied_column;
  const char* zeros = job.weights.zeros + (job.zero ? 16 : 0);
  const int depth = job.runs.depth();
  int place = chunk * 16;  // of the padded runs
  int in_run = place, run_in_row = 0, dy = 0, dx = 0, run_bytes = 0;
  const auto enter_run = [&] {
    while (in_run >= job.runs.padded) {
      in_run -= job.runs.padded;
      run_bytes += job.right_bytes;
      dx += job.dilation_w;
      if (++run_in_row == job.runs.per_row) {
        run_in_row = 0;
        dy += job.dilation_h;
        dx = 0;
        run_bytes += job.down_bytes - job.runs.per_row * job.right_bytes;
      }
    }
  };
  enter_run();
  const auto copy_block = [&](int slot) {
    char* to = shared_memory<char>() + slot * Shape::kStageBytes + fixed_place(copied, chunk);
    if (!kGather && !job.checked) {
#pragma unroll
      for (int i = 0; i < Shape::kCopiedRows; ++i)
        copy_async16(to + i * Shape::kApart * kFixedBlock, window[i] + (run_bytes + in_run), place < depth);
    } else {
#pragma unroll
      for (int i = 0; i < Shape::kCopiedRows; ++i) {
        char* there = to + i * Shape::kApart * kFixedBlock;
        const bool in_rows = uint32_t(y[i] + dy) < uint32_t(job.height);
        if (kGather) {
          int begin = 0, end = in_rows && place < depth ? job.runs.bytes : 0;
          if (job.runs.whole_rows) {
            const int pixel = int(job.pixel_bytes);
            begin = x[i] < 0 ? -x[i] * pixel : 0;
            end = std::min(end, (job.width - x[i]) * pixel);
          } else if (uint32_t(x[i] + dx) >= uint32_t(job.width)) {
            end = 0;
          }
          *reinterpret_cast<Vector16*>(there) =
              gather_bytes(window[i] + run_bytes, in_run, begin, end, job.zero);
        } else {
          const bool inside = in_rows && uint32_t(x[i] + dx) < uint32_t(job.width);
          copy_async16(there, inside ? window[i] + (run_bytes + in_run) : zeros, place < depth);
        }
      }
    }
    constexpr int kApartBytes = Shape::kColumnsApart * Shape::kColumnBytes;
    char* columns =
        shared_memory<char>() + slot * Shape::kStageBytes + Shape::kRows * kFixedBlock + column_place;
    if (Shape::kColumns >= Shape::kColumnsApart || copied_column < Shape::kColumns) {
#pragma unroll
      for (int i = 0; i < Shape::kCopiedColumns; ++i)
        copy_async16(columns + i * kApartBytes, column + i * kApartBytes,
                     i * Shape::kColumnsApart < columns_left);
    }
    column += int64_t{job.runs.columns} * Shape::kColumnBytes;
    place += kFixedBlock;
    in_run += kFixedBlock;
    enter_run();
  };

  // ---- the sums ----
  int32_t acc[Shape::kFragmentRows][Shape::kFragmentColumns][4] = {};
  const int lane_row = lane % 16, lane_column = lane % 8 + lane / 16 * 8;
  const int a_row = warp_index() / Shape::kWarpsAcross * Shape::kWarpRows * kFixedBlock;
  const int b_row = Shape::kRows * kFixedBlock +
                    warp_index() % Shape::kWarpsAcross * Shape::kWarpColumns * Shape::kColumnBytes;
  const auto multiply = [&](int slot, int half) {
    const char* stage = shared_memory<char>() + slot * Shape::kStageBytes;
    const char* a_from = stage + a_row + fixed_place(lane_row, 2 * half + lane / 16);
    uint32_t a[Shape::kFragmentRows][4];
#pragma unroll
    for (int i = 0; i < Shape::kFragmentRows; ++i) {
      load_matrix4(a[i], a_from + i * 16 * kFixedBlock);
#pragma unroll
      for (int e = 0; e < 4; ++e) a[i][e] ^= job.flip;
    }
    if constexpr (Shape::kWeightBits == 4) {
      // Words of 32 columns: in each the codes of both halves of the depth, which as bytes' upper halves are
      // 16 times themselves.
      const char* b_from = stage + b_row + fixed_weights_place<4>(lane, half);
#pragma unroll
      for (int j = 0; j < Shape::kFragmentColumns / 4; ++j) {
        uint32_t packed[4];
        load_matrix4(packed, b_from + j * 32 * Shape::kColumnBytes);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const uint32_t b[2] = {packed[e] << 4 & 0xF0F0F0F0u, packed[e] & 0xF0F0F0F0u};
#pragma unroll
          for (int i = 0; i < Shape::kFragmentRows; ++i) mma_s8(acc[i][4 * j + e], a[i], b);
        }
      }
    } else {
      const char* b_from = stage + b_row + fixed_place(lane_column, 2 * half + lane / 8 % 2);
#pragma unroll
      for (int j = 0; j < Shape::kFragmentColumns / 2; ++j) {
        uint32_t b[4];
        load_matrix4(b, b_from + j * 16 * kFixedBlock);
        const uint32_t left[2] = {b[0], b[1]}, right[2] = {b[2], b[3]};
#pragma unroll
        for (int i = 0; i < Shape::kFragmentRows; ++i) {
          mma_s8(acc[i][2 * j], a[i], left);
          mma_s8(acc[i][2 * j + 1], a[i], right);
        }
      }
    }
  };

  const int count = job.runs.blocks;
#pragma unroll
  for (int slot = 0; slot < Shape::kStages - 1; ++slot) {
    if (slot < count) copy_block(slot);
    copy_async_commit();
  }
  int slot = 0, next_slot = Shape::kStages - 1;
#pragma unroll 1
  for (int block = 0; block < count; ++block) {
    copy_async_wait<Shape::kStages - 2>();
    // Behind it the block has arrived for all, and all have read the one that the next copies replace.
    block_barrier();
    if (block + Shape::kStages - 1 < count) copy_block(next_slot);
    copy_async_commit();
    multiply(slot, 0);
    if (block * kFixedBlock + kFixedBlock / 2 < depth) multiply(slot, 1);
    slot = slot + 1 == Shape::kStages ? 0 : slot + 1;
    next_slot = next_slot + 1 == Shape::kStages ? 0 : next_slot + 1;
  }
  copy_async_wait<0>();
  block_barrier();
  if constexpr (Shape::kWeightBits == 4) {
    // A code is at most 8 and 16 times it at most 128, as a byte's is: the sums fit, and 16 divides them.
#pragma unroll
    for (int i = 0; i < Shape::kFragmentRows; ++i)
#pragma unroll
      for (int j = 0; j < Shape::kFragmentColumns; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) acc[i][j][e] >>= 4;
  }

  if (!*shared_memory<int>(Memory::kWideAt))
    store_by_steps<Shape, kWords, false>(job, acc, first_pixel, first_column, group);
  else if (job.has_long)
    store_by_steps<Shape, kWords, true>(job, acc, first_pixel, first_column, group);
  else
    store_by_definition<Shape, kWords>(job, acc, first_pixel, first_column, group);
}

}  // namespace ristretto::cuda
