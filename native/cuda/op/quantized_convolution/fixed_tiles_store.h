// From a tile's sums to codes in memory.
#pragma once

#include "fixed_tiles_job.h"

namespace ristretto::cuda {

RISTRETTO_DEVICE int32_t apply_long_step(int64_t x, const LongStep& s) {
  const int64_t code = (x + s.add + ((x >> s.sign_shift) & s.mask)) >> s.right;
  return code < s.low ? s.low : code > s.high ? s.high : int32_t(code);
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

// Of a patch's codes the largest of each window.
template <class Shape>
RISTRETTO_DEVICE void store_largest(const FixedTilesJob& job, const char* codes, int pitch, int vectors,
                                    int patch, int first_channel, int group) {
  const FixedPatches& patches = job.patches;
  const bool words = job.dst.type == DataType::i16;
  const uint32_t flip = zero_codes(job.dst.type), lowest = words ? 0x80008000u : 0x80808080u;
  const int bytes = words ? 2 : 1, first_byte = first_channel * bytes;
  const int valid = job.group_k * bytes - first_byte;
  const int64_t from_group = int64_t{group} * job.group_k * bytes + first_byte;
  for (int at = thread_index(); at < patches.rows * patches.columns * vectors; at += Shape::kThreads) {
    const int window = at / vectors, place = at % vectors * 16;
    const int r = window / patches.columns, c = window % patches.columns;
    int n, p, q;
    if (!patches.output(patch, r, c, int(job.dst.height), int(job.dst.width), n, p, q) || place >= valid)
      continue;
    const int corner = r * patches.stride_h * patches.width + c * patches.stride_w;
    Vector16 best{{lowest, lowest, lowest, lowest}};
    for (int h = 0; h < patches.kernel_h; ++h)
      for (int w = 0; w < patches.kernel_w; ++w) {
        const int row = corner + h * patches.width + w;
        const Vector16 v = *reinterpret_cast<const Vector16*>(codes + row * pitch + place);
#pragma unroll
        for (int i = 0; i < 4; ++i)
          best.word[i] =
              words ? larger_halves(best.word[i], v.word[i]) : larger_bytes(best.word[i], v.word[i] ^ flip);
      }
#pragma unroll
    for (int i = 0; i < 4; ++i) best.word[i] ^= flip;
    store_vector(static_cast<char*>(job.dst.data) + job.dst.offset(n, p, q) * bytes + from_group + place,
                 best, job.access, valid - place);
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
  if (job.patches.any()) {
    store_largest<Shape>(job, codes, pitch, vectors, int(first_pixel / Shape::kRows), first_channel, group);
    return;
  }
  const int valid = (job.group_k - first_channel) * bytes;
  char* dst = static_cast<char*>(job.dst.data) + (int64_t{group} * job.group_k + first_channel) * bytes;
  for (int at = thread_index(); at < Shape::kRows * vectors; at += Shape::kThreads) {
    const int row = at / vectors, place = at % vectors * 16;
    if (first_pixel + uint32_t(row) >= job.pixels || place >= valid) continue;
    store_vector(dst + rows[row].dst + place, *reinterpret_cast<const Vector16*>(codes + row * pitch + place),
                 job.access, valid - place);
  }
}

}  // namespace ristretto::cuda
