// Codes of a pixel 16 bytes at a time, and the halo, which some blocks of the kernel that writes a view's
// pixels fill.
#pragma once

#include <algorithm>

#include "core/code_tensor.h"
#include "executor.h"
#include "lanes.h"

namespace ristretto::cuda {

// The widest access that every pixel's start allows: 16 or 4 bytes, or 1.
inline int access_bytes(const CodeTensor& t) {
  const int64_t b = t.element_bytes();
  const uint64_t all = reinterpret_cast<uintptr_t>(t.data) | uint64_t(t.pixel_stride * b) |
                       uint64_t(t.row_stride * b) | uint64_t(t.images > 1 ? t.image_stride * b : 0);
  return all % 16 == 0 ? 16 : all % 4 == 0 ? 4 : 1;
}

// The first `count` bytes, at most 16, by accesses of `access` bytes and single ones for what is left.
RISTRETTO_DEVICE void store_vector(char* to, const Vector16& v, int access, int count) {
  if (access == 16 && count >= 16) {
    *reinterpret_cast<Vector16*>(to) = v;
    return;
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (access >= 4 && 4 * i + 4 <= count) {
      *reinterpret_cast<uint32_t*>(to + 4 * i) = v.word[i];
    } else {
#pragma unroll
      for (int b = 0; b < 4; ++b)
        if (4 * i + b < count) to[4 * i + b] = char(v.word[i] >> (8 * b));
    }
  }
}
RISTRETTO_DEVICE Vector16 load_vector(const char* from, int access, int count) {
  if (access == 16 && count >= 16) return *reinterpret_cast<const Vector16*>(from);
  Vector16 v = {};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (access >= 4 && 4 * i + 4 <= count) {
      v.word[i] = *reinterpret_cast<const uint32_t*>(from + 4 * i);
    } else {
#pragma unroll
      for (int b = 0; b < 4; ++b)
        if (4 * i + b < count) v.word[i] |= uint32_t(uint8_t(from[4 * i + b])) << (8 * b);
    }
  }
  return v;
}

// Four bytes of code 0.
RISTRETTO_HOST_DEVICE uint32_t zero_codes(DataType type) { return type == DataType::u8 ? 0x80808080u : 0u; }

// Blocks that share the halo; none where there is no halo.
inline int halo_blocks(const CodeTensor& t, int threads) {
  const int64_t pixels = (t.height + 2 * t.halo_h) * (t.width + 2 * t.halo_w) - t.height * t.width;
  const int64_t vectors = t.images * pixels * ((t.channels * t.element_bytes() + 15) / 16);
  return int(std::min<int64_t>((vectors + threads - 1) / threads, 1024));
}

// Part `part` of `parts`, by all threads of a block: of every pixel of the halo the view's own channels.
RISTRETTO_DEVICE void fill_halo_part(const CodeTensor& t, int access, int part, int parts) {
  const int64_t width = t.width + 2 * t.halo_w, beside = 2 * t.halo_w, above = t.halo_h * width;
  const int64_t pixels = 2 * above + t.height * beside;
  const int bytes = int(t.channels * t.element_bytes()), vectors = (bytes + 15) / 16;
  const int64_t count = t.images * pixels * vectors, step = int64_t{parts} * block_threads();
  const uint32_t word = zero_codes(t.type);
  const Vector16 zeros{{word, word, word, word}};
  for (int64_t i = int64_t{part} * block_threads() + thread_index(); i < count; i += step) {
    const int64_t pixel = i / vectors;
    int64_t at = pixel % pixels, h, w;
    if (at < 2 * above) {
      h = at / width - t.halo_h;
      w = at % width - t.halo_w;
      if (h >= 0) h += t.height;
    } else {
      at -= 2 * above;
      h = at / beside;
      w = at % beside - t.halo_w;
      if (w >= 0) w += t.width;
    }
    const int first = int(i % vectors) * 16;
    store_vector(t.pixel(pixel / pixels, h, w) + first, zeros, access, std::min(16, bytes - first));
  }
}

}  // namespace ristretto::cuda
