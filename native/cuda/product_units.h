// What multiplies the tiles of a product (product.h): how many depths a step has, how an operand's part of
// them lies in shared memory, and where a warp's 32 x 64 sums lie in its lanes' registers.
//
// For the kernel:
//   kDepth                      depths of a step
//   bytes(rows)                 of an operand's part
//   put(tile, row, depth, values)  a run of depths of one row (or column)
//   multiply(a, b, row, column, sums)  one step
//   kPasses, kPassRows, pass_row, take  sums leave in passes: rows pass_row(pass, 0…) of the warp's, each to
//   a
//                               row of the shared memory at `out`
#pragma once

#include <cmath>

#include "lanes.h"

namespace ristretto::cuda {

constexpr int kColumns = 128;
constexpr int kWarpRows = 32, kWarpColumns = 64;

struct alignas(16) Quad {
  float value[4];
};

// For compute capability 10.0 ptxas spills what it holds in registers elsewhere: there, fewer blocks share
// them.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
constexpr bool kSpillsSooner = true;
#else
constexpr bool kSpillsSooner = false;
#endif

// Single precision on the multiply-add units: a thread makes 8 x 8 sums. Tiles lie depth by depth.
struct SinglePrecision {
  static constexpr int kDepth = 8, kPasses = 8, kPassRows = 4;
  // Of a multiprocessor. The smallest tile's threads stage twice as many columns: they get more registers.
  static constexpr int blocks(int rows) {
    return rows == 32 ? 5 : rows == 64 && kSpillsSooner ? 3 : 256 / rows;
  }
  static constexpr int pitch(int rows) { return rows + 4; }
  static constexpr int bytes(int rows) { return kDepth * pitch(rows) * int(sizeof(float)); }

  template <int kTileRows, int kRun>
  static RISTRETTO_DEVICE void put(unsigned char* tile, int row, int depth, const float (&values)[kRun]) {
    float* to = reinterpret_cast<float*>(tile) + depth * pitch(kTileRows) + row;
#pragma unroll
    for (int i = 0; i < kRun; ++i) to[i * pitch(kTileRows)] = values[i];
  }

  struct Sums {
    float of[8][8];
  };
  static RISTRETTO_DEVICE void clear(Sums& sums) {
#pragma unroll
    for (int i = 0; i < 8; ++i)
#pragma unroll
      for (int j = 0; j < 8; ++j) sums.of[i][j] = 0;
  }

  // A warp's lanes are 4 x 8; each has two runs of four rows and two of four columns, half a warp's tile
  // apart.
  template <int kTileRows>
  static RISTRETTO_DEVICE void multiply(const unsigned char* a_tile, const unsigned char* b_tile,
                                        int warp_row, int warp_column, Sums& sums) {
    const float* a = reinterpret_cast<const float*>(a_tile) + warp_row + lane_index() / 8 * 4;
    const float* b = reinterpret_cast<const float*>(b_tile) + warp_column + lane_index() % 8 * 4;
#pragma unroll
    for (int d = 0; d < kDepth; ++d, a += pitch(kTileRows), b += pitch(kColumns)) {
      const Quad a0 = *reinterpret_cast<const Quad*>(a), a1 = *reinterpret_cast<const Quad*>(a + 16);
      const Quad b0 = *reinterpret_cast<const Quad*>(b), b1 = *reinterpret_cast<const Quad*>(b + 32);
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          sums.of[i][j] = fmaf(a0.value[i], b0.value[j], sums.of[i][j]);
          sums.of[i][j + 4] = fmaf(a0.value[i], b1.value[j], sums.of[i][j + 4]);
          sums.of[i + 4][j] = fmaf(a1.value[i], b0.value[j], sums.of[i + 4][j]);
          sums.of[i + 4][j + 4] = fmaf(a1.value[i], b1.value[j], sums.of[i + 4][j + 4]);
        }
    }
  }

  // The sums of the warp's row pass_row(pass, r) go to row r of `out`.
  static RISTRETTO_DEVICE int pass_row(int pass, int r) { return pass / 4 * 16 + r * 4 + pass % 4; }
  template <int kPass>
  static RISTRETTO_DEVICE void take(const Sums& sums, float* out, int out_pitch) {
    float* to = out + lane_index() / 8 * out_pitch + lane_index() % 8 * 4;
    Quad q0, q1;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      q0.value[j] = sums.of[kPass][j];
      q1.value[j] = sums.of[kPass][j + 4];
    }
    *reinterpret_cast<Quad*>(to) = q0;
    *reinterpret_cast<Quad*>(to + 32) = q1;
  }
};

// The tensor cores' tiles lie row by row, 16 depths to a row, rows an odd number of 16-byte units apart so
// that eight of them are in different banks. kSteps: products of 32 bytes of every row.
template <class Operand>
struct TensorUnit {
  static constexpr int kDepth = 16, kPasses = 4, kPassRows = 8;
  static constexpr int blocks(int rows) { return (kSpillsSooner ? 128 : 256) / rows; }
  static constexpr int kPitch = kDepth * Operand::kBytes + 16, kSteps = kDepth * Operand::kBytes / 32;
  static constexpr int bytes(int rows) { return rows * kPitch; }

  template <int kTileRows, int kRun>
  static RISTRETTO_DEVICE void put(unsigned char* tile, int row, int depth, const float (&values)[kRun]) {
    Operand::put(tile + row * kPitch + depth * Operand::kBytes, values);
  }

  struct Sums {
    float of[2][8][4];
  };
  static RISTRETTO_DEVICE void clear(Sums& sums) {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 8; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) sums.of[i][j][e] = 0;
  }

  template <int kTileRows>
  static RISTRETTO_DEVICE void multiply(const unsigned char* a_tile, const unsigned char* b_tile,
                                        int warp_row, int warp_column, Sums& sums) {
    // Lane l gives the address of row l % 8 of matrix l / 8. Of a: two runs of eight rows, then their second
    // halves; of b: a run of eight columns, its second half, then the next run.
    const int matrix = lane_index() / 8, row = lane_index() % 8;
    const unsigned char* a = a_tile + (warp_row + matrix % 2 * 8 + row) * kPitch + matrix / 2 * 16;
    const unsigned char* b = b_tile + (warp_column + matrix / 2 * 8 + row) * kPitch + matrix % 2 * 16;
#pragma unroll
    for (int step = 0; step < kSteps; ++step, a += 32, b += 32) {
      uint32_t rows[2][4];
#pragma unroll
      for (int i = 0; i < 2; ++i) load_matrix4(rows[i], a + i * 16 * kPitch);
#pragma unroll
      for (int j = 0; j < 8; j += 2) {
        uint32_t columns[4];
        load_matrix4(columns, b + j * 8 * kPitch);
        const uint32_t first[2] = {columns[0], columns[1]}, second[2] = {columns[2], columns[3]};
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          Operand::multiply(sums.of[i][j], rows[i], first);
          Operand::multiply(sums.of[i][j + 1], rows[i], second);
        }
      }
    }
  }

  static RISTRETTO_DEVICE int pass_row(int pass, int r) { return pass * 8 + r; }
  template <int kPass>
  static RISTRETTO_DEVICE void take(const Sums& sums, float* out, int out_pitch) {
    float* to = out + lane_index() / 4 * out_pitch + lane_index() % 4 * 2;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      to[j * 8] = sums.of[kPass / 2][j][kPass % 2 * 2];
      to[j * 8 + 1] = sums.of[kPass / 2][j][kPass % 2 * 2 + 1];
    }
  }
};

struct Tf32 {
  static constexpr int kBytes = 4;
  template <int kRun>
  static RISTRETTO_DEVICE void put(unsigned char* to, const float (&values)[kRun]) {
    if constexpr (kRun % 4 == 0) {
#pragma unroll
      for (int i = 0; i < kRun; i += 4) {
        Vector16 v;
#pragma unroll
        for (int e = 0; e < 4; ++e) v.word[e] = round_tf32(values[i + e]);
        *reinterpret_cast<Vector16*>(to + i * kBytes) = v;
      }
    } else {
#pragma unroll
      for (int i = 0; i < kRun; ++i) *reinterpret_cast<uint32_t*>(to + i * kBytes) = round_tf32(values[i]);
    }
  }
  static RISTRETTO_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mma_tf32(d, a, b);
  }
};

struct Bf16 {
  static constexpr int kBytes = 2;
  template <int kRun>
  static RISTRETTO_DEVICE void put(unsigned char* to, const float (&values)[kRun]) {
    if constexpr (kRun % 8 == 0) {
#pragma unroll
      for (int i = 0; i < kRun; i += 8) {
        Vector16 v;
#pragma unroll
        for (int e = 0; e < 4; ++e) v.word[e] = pack_bf16(values[i + 2 * e], values[i + 2 * e + 1]);
        *reinterpret_cast<Vector16*>(to + i * kBytes) = v;
      }
    } else {
#pragma unroll
      for (int i = 0; i < kRun; ++i)
        *reinterpret_cast<uint16_t*>(to + i * kBytes) = uint16_t(pack_bf16(values[i], 0));
    }
  }
  static RISTRETTO_DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mma_bf16(d, a, b);
  }
};

}  // namespace ristretto::cuda
