// The kernel of convolution_fixed_tiles.cu: a block multiplies the windows of kRows pixels with the weights
// of kColumns columns on tensor cores, 64 codes of depth at a time. The blocks of depth that come next are on
// their way to shared memory meanwhile. Weights of 4 bits become bytes in registers, ahead of the product.
#pragma once

#include "convolution_fixed.h"
#include "core/op/fixed_step.h"
#include "cuda/code_step.h"
#include "cuda/code_vectors.h"

namespace ristretto::cuda {

// FixedStep's form in 64 bits, without a shift to the left.
struct LongStep {
  int64_t add = 0, mask = 0;
  int sign_shift = 63, right = 0;
  int32_t low = 0, high = 0;
};

struct FixedTilesJob {
  const char* src;  // pixel (0, 0) of image 0
  int64_t image_bytes, row_bytes, pixel_bytes;
  int height, width, halo_h, halo_w;  // readable: halo included in height and width
  int stride_h, stride_w, pad_h, pad_w;
  int down_bytes, right_bytes;  // from one tap of the window to the next
  int dilation_h, dilation_w;
  bool checked;  // some taps lie outside of what is readable
  int P, Q;
  uint32_t pixels;  // of all images' outputs
  int group_k, group_bytes;
  FixedRuns runs;
  FixedWeights weights;
  const int32_t* bias;
  uint32_t flip;  // bits of stored codes that make them signed bytes
  uint32_t zero;  // four bytes of code 0, as they are stored
  int tiles_n, tiles;
  CodeTensor dst;
  int access, halo_access, halo_parts;
  FixedEpilogue epilogue;
  // The epilogue by steps: in 32 bits where a tile's channels prove to allow it, else in 64 bits, which
  // always do; where those exist for its shifts.
  bool has_narrow, has_long;
  bool quick;  // a floor is all that is left of the output's rounding, and it is the last
  FixedStep output, consumer;
  int32_t sum_factor;
  LongStep long_output;
  int64_t long_sum_factor;
  double largest, sum_scale, bias_scale, half;
  NanReport report;
};

// The problem in the kernels' words, but for the weights and the tiles.
FixedTilesJob describe_fixed_tiles(const ConvolutionFixedArguments& arguments, const FixedRuns& runs);
// Whether vectors of 16 bytes can not be copied as they are: they leave a tap, or are not aligned.
bool needs_gather(const ConvolutionFixedArguments& arguments, const FixedRuns& runs);

template <int kTileRows, int kTileColumns, int kWarpsM, int kWarpsN, int kStageCount, int kResident,
          int kBits = 8>
struct FixedTileShape {
  static constexpr int kRows = kTileRows, kColumns = kTileColumns;
  static constexpr int kThreads = kWarpsM * kWarpsN * kWarp;
  static constexpr int kStages = kStageCount, kBlocks = kResident;  // blocks of a multiprocessor
  static constexpr int kWarpRows = kRows / kWarpsM, kWarpColumns = kColumns / kWarpsN;
  static constexpr int kWarpsAcross = kWarpsN;
  static constexpr int kFragmentRows = kWarpRows / 16, kFragmentColumns = kWarpColumns / 8;
  static constexpr int kWeightBits = kBits;
  static constexpr int kColumnBytes = kFixedBlock * kBits / 8, kColumnVectors = kColumnBytes / 16;
  static constexpr int kStageBytes = kRows * kFixedBlock + kColumns * kColumnBytes;
  static constexpr int kCodesBytes = 0;  // codes take the place of the stages
  static RISTRETTO_DEVICE void barrier() { block_barrier(); }
  // Rows and columns that a thread copies a vector of, so many apart. Where there are fewer columns than
  // that, some threads copy none.
  static constexpr int kApart = kThreads / 4, kColumnsApart = kThreads / kColumnVectors;
  static constexpr int kCopiedRows = kRows / kApart;
  static constexpr int kCopiedColumns = (kColumns + kColumnsApart - 1) / kColumnsApart;
  static_assert(kApart % 8 == 0 && kRows % kApart == 0);
  static_assert(kColumnsApart % 8 == 0 && (kColumns % kColumnsApart == 0 || kCopiedColumns == 1));
  static_assert(kFragmentColumns % (kBits == 4 ? 4 : 2) == 0);
};

struct FixedTileRow {
  int64_t src, dst;  // bytes to the window's first tap, to the output's pixel
  int y, x;          // the first tap, counted from the halo's start
};
struct FixedTileChannel {
  int32_t bias, start;  // as given; shifted, with the quick epilogue's rounding
  int32_t low;          // what the sums of low bytes lack: their codes were lessened by 128
};

// Behind the stages: codes on their way out, rows, channels, and whether 32 bits do not suffice.
template <class Shape>
struct FixedTileMemory {
  static constexpr int kCodesAt = Shape::kCodesBytes ? Shape::kStages * Shape::kStageBytes : 0;
  static constexpr int kRowsAt = Shape::kStages * Shape::kStageBytes + Shape::kCodesBytes;
  static constexpr int kChannelsAt = kRowsAt + Shape::kRows * int(sizeof(FixedTileRow));
  static constexpr int kWideAt = kChannelsAt + Shape::kColumns * int(sizeof(FixedTileChannel));
  static constexpr int kBytes = kWideAt + 16;
  // Where the stages were, a tile's codes of up to two bytes gather, or a slice of each warp's sums.
  static_assert(Shape::kRows * (2 * Shape::kColumns + 16) <= kRowsAt);
  static_assert(Shape::kThreads / kWarp * 16 * Shape::kWarpColumns * int(sizeof(int32_t)) <= kRowsAt);
};

RISTRETTO_DEVICE int32_t apply_long_step(int64_t x, const LongStep& s) {
  const int64_t code = (x + s.add + ((x >> s.sign_shift) & s.mask)) >> s.right;
  return code < s.low ? s.low : code > s.high ? s.high : int32_t(code);
}

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
    // Rows behind the last pixel compute its like, and store nothing.
    const uint32_t m = first_pixel + uint32_t(i) < job.pixels ? first_pixel + uint32_t(i) : job.pixels - 1;
    const int q = int(m % uint32_t(job.Q)), np = int(m / uint32_t(job.Q));
    const int p = np % job.P, n = np / job.P;
    const int y = p * job.stride_h - job.pad_h, x = q * job.stride_w - job.pad_w;
    rows[i].src =
        n * job.image_bytes + y * job.row_bytes + x * job.pixel_bytes + int64_t{group} * job.group_bytes;
    rows[i].dst = job.dst.offset(n, p, q) * job.dst.element_bytes();
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

// Sums to codes by the definition, for shifts that no step has: a slice of 16 rows of each warp at a time
// goes through shared memory.
template <class Shape, bool kWords>
RISTRETTO_DEVICE void store_by_definition(
    const FixedTilesJob& job, const int32_t (&acc)[Shape::kFragmentRows][Shape::kFragmentColumns][4],
    uint32_t first_pixel, int first_column, int group) {
  using Memory = FixedTileMemory<Shape>;
  const FixedTileRow* rows = shared_memory<FixedTileRow>(Memory::kRowsAt);
  const FixedTileChannel* channels = shared_memory<FixedTileChannel>(Memory::kChannelsAt);
  constexpr int kPer = kWords ? 2 : 1, kSlice = 16 * Shape::kWarpColumns;
  constexpr int kChannels = Shape::kWarpColumns / kPer;
  int32_t* slice = shared_memory<int32_t>() + warp_index() * kSlice;
  const int lane = lane_index();
  const int row0 = warp_index() / Shape::kWarpsAcross * Shape::kWarpRows;
  const int channel0 = warp_index() % Shape::kWarpsAcross * kChannels;
#pragma unroll
  for (int i = 0; i < Shape::kFragmentRows; ++i) {
    warp_barrier();
#pragma unroll
    for (int j = 0; j < Shape::kFragmentColumns; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        slice[(lane / 4 + e / 2 * 8) * Shape::kWarpColumns + 8 * j + lane % 4 * 2 + e % 2] = acc[i][j][e];
    warp_barrier();
#pragma unroll 1
    for (int at = lane; at < 16 * kChannels; at += kWarp) {
      const int row = row0 + 16 * i + at / kChannels, channel = channel0 + at % kChannels;
      const int in_group = first_column / kPer + channel;
      if (first_pixel + uint32_t(row) >= job.pixels || in_group >= job.group_k) continue;
      const int32_t* sums = slice + kPer * at;
      const FixedTileChannel& c = channels[channel];
      const int64_t sum = kWords ? int64_t{sums[0]} * 256 + (int64_t{sums[kPer - 1]} + c.low) : sums[0];
      const int code = int(apply_epilogue(sum, c.bias, job.epilogue));
      char* to = static_cast<char*>(job.dst.data) + rows[row].dst +
                 (int64_t{group} * job.group_k + in_group) * job.dst.element_bytes();
      if (job.dst.type == DataType::i16)
        *reinterpret_cast<int16_t*>(to) = int16_t(code);
      else
        *to = char(code + job.dst.zero());
    }
  }
}

// Sums to codes by steps in 32 or 64 bits, gathered in shared memory so that vectors of a pixel's channels go
// out.
template <class Shape, bool kWords, bool kLong>
RISTRETTO_DEVICE void store_by_steps(const FixedTilesJob& job,
                                     const int32_t (&acc)[Shape::kFragmentRows][Shape::kFragmentColumns][4],
                                     uint32_t first_pixel, int first_column, int group) {
  using Memory = FixedTileMemory<Shape>;
  const FixedTileRow* rows = shared_memory<FixedTileRow>(Memory::kRowsAt);
  const FixedTileChannel* channels = shared_memory<FixedTileChannel>(Memory::kChannelsAt);
  constexpr int kPer = kWords ? 2 : 1, kChannels = Shape::kColumns / kPer;
  const int bytes = job.dst.type == DataType::i16 ? 2 : 1, pitch = kChannels * bytes + 16;
  const int flip = job.dst.type == DataType::u8 ? 0x80 : 0;
  char* codes = shared_memory<char>(Memory::kCodesAt);
  const int lane = lane_index();
  const int row0 = warp_index() / Shape::kWarpsAcross * Shape::kWarpRows + lane / 4;
  const int column0 = warp_index() % Shape::kWarpsAcross * Shape::kWarpColumns + lane % 4 * 2;
  const auto code_of = [&](auto sum, const FixedTileChannel& c) {
    int32_t code;
    if constexpr (kLong) {
      const int64_t bias =
          c.bias == 0 ? 0 : int64_t(uint64_t(int64_t{c.bias}) << (job.epilogue.bias_shift & 63));
      code = apply_long_step(sum * job.long_sum_factor + bias, job.long_output);
    } else {
      const int32_t value = sum * job.sum_factor + c.start;
      if (job.quick) {
        code = value >> job.output.right;
        return code < job.output.low ? job.output.low : code > job.output.high ? job.output.high : code;
      }
      code = apply_step(value, job.output);
    }
    if (job.epilogue.relu && code < 0) code = 0;
    return job.epilogue.has_consumer ? apply_step(code, job.consumer) : code;
  };
#pragma unroll
  for (int j = 0; j < Shape::kFragmentColumns; ++j) {
    const int channel = (column0 + 8 * j) / kPer;
    const FixedTileChannel first = channels[channel], second = channels[kWords ? channel : channel + 1];
#pragma unroll
    for (int i = 0; i < Shape::kFragmentRows; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        char* to = codes + (row0 + 16 * i + 8 * half) * pitch + channel * bytes;
        const int32_t s0 = acc[i][j][2 * half], s1 = acc[i][j][2 * half + 1];
        if (kWords) {
          int code;
          if constexpr (kLong)
            code = code_of(int64_t{s0} * 256 + (int64_t{s1} + first.low), first);
          else
            code = code_of(int32_t(uint32_t(s0) * 256u + uint32_t(s1) + uint32_t(first.low)), first);
          if (bytes == 2)
            *reinterpret_cast<int16_t*>(to) = int16_t(code);
          else
            *to = char(code ^ flip);
        } else {
          const int c0 = code_of(s0, first), c1 = code_of(s1, second);
          if (bytes == 2)
            *reinterpret_cast<uint32_t*>(to) = uint32_t(c0 & 0xFFFF) | uint32_t(c1) << 16;
          else
            *reinterpret_cast<uint16_t*>(to) = uint16_t(((c0 ^ flip) & 255) | (c1 ^ flip) << 8);
        }
      }
  }
  Shape::barrier();
  const int vectors = kChannels * bytes / 16, first_channel = first_column / kPer;
  const int valid = (job.group_k - first_channel) * bytes;
  char* dst = static_cast<char*>(job.dst.data) + (int64_t{group} * job.group_k + first_channel) * bytes;
  for (int at = thread_index(); at < Shape::kRows * vectors; at += Shape::kThreads) {
    const int row = at / vectors, place = at % vectors * 16;
    if (first_pixel + uint32_t(row) >= job.pixels || place >= valid) continue;
    store_vector(dst + rows[row].dst + place, *reinterpret_cast<const Vector16*>(codes + row * pitch + place),
                 job.access, valid - place);
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
