// The ways in which a fixed-point convolution is computed on a device. All give the definition's codes.
#pragma once

#include "core/op/quantized_convolution/pooled_convolution_fixed.h"
#include "cuda/context.h"
#include "cuda/lanes.h"

namespace ristretto::cuda {

// A window is read as runs of contiguous bytes: rows of the window where all of a pixel's channels lie side
// by side, else its taps. Each run is padded to whole vectors of 16 bytes by weights of 0.
struct FixedRuns {
  bool whole_rows = false;
  int rows = 0, per_row = 0;  // runs
  int bytes = 0, padded = 0;  // of a run
  int blocks = 0;             // of kFixedBlock bytes that all runs take, padded ones
  int columns = 0;            // of the product that belong to a group
  bool words = false;         // codes of 16 bits: two columns an output, of its weights for high bytes
                              // and for low bytes
  RISTRETTO_HOST_DEVICE int depth() const { return rows * per_row * padded; }
};
constexpr int kFixedBlock = 64;

// Where 16 bytes of a row of kFixedBlock stand, from a multiple of 512 bytes on: no eight that are read or
// written at once share a bank.
RISTRETTO_HOST_DEVICE int fixed_place(int row, int chunk) {
  return row * kFixedBlock + ((chunk ^ (row >> 1 & 3)) << 4);
}

// The same for a column's weights, in 8 or 4 bits. Rows of 4 bits have 32 bytes, so that four have all banks:
// eight columns' vectors share none, as every other four have theirs the other way round, and neither do
// eight vectors that are copied at once, which are four columns'.
template <int kBits>
RISTRETTO_HOST_DEVICE int fixed_weights_place(int column, int vector) {
  static_assert(kBits == 8 || kBits == 4);
  if (kBits == 8) return fixed_place(column, vector);
  return column * (kFixedBlock / 2) + ((vector ^ (column >> 2 & 1)) << 4);
}

FixedRuns fixed_runs(const ConvolutionFixedArguments& arguments);

// Weights as the tiles read them, in memory of the device. In 4 bits a vector has 32 codes: byte i has code i
// in its low half and code 16 + i in its high half, so that one word holds what a lane needs for both halves
// of a product's depth.
struct FixedWeights {
  const char* codes;  // [group][block][column][kFixedBlock * bits / 8], each vector in its place
  // [K] sums of magnitudes; -1 where 4 bits do not hold the weights
  const int32_t* magnitude;
  const int32_t* total;  // [K] sums
  const char* zeros;     // 16 bytes of 0, and 16 of 128 behind them
};

// Packs them in 8 or 4 bits unless arguments.packed holds them so already.
FixedWeights fixed_weights(Context& context, const ConvolutionFixedArguments& arguments,
                           const FixedRuns& runs, int bits);

// Tensor cores: weights of 8 bits. `shape` is one of the tiles' shapes, or -1: the one that should take the
// least time.
constexpr int kFixedShapes = 4;
bool convolution_fixed_tiles_supports(const ConvolutionFixedArguments& arguments);
void convolution_fixed_tiles(Context& context, const ConvolutionFixedArguments& arguments, int shape = -1);

// The same with maximum pooling behind it: a tile is a patch that some windows read (fixed_patches.h).
bool pooled_convolution_fixed_tiles_supports(const PooledConvolutionFixedArguments& arguments);
void pooled_convolution_fixed_tiles(Context& context, const PooledConvolutionFixedArguments& arguments,
                                    int shape = -1);

// The same by Hopper's products of four warps and copies by engine (9.0a): signed codes of 8 bits in whole
// vectors of 16 channels. `shape` as above, of its own shapes.
constexpr int kWarpgroupShapes = 3;
bool convolution_fixed_warpgroups_supports(const ConvolutionFixedArguments& arguments);
void convolution_fixed_warpgroups(Context& context, const ConvolutionFixedArguments& arguments,
                                  int shape = -1);

// One thread an output, 64-bit sums: everything but `spread`.
void convolution_fixed_elements(Context& context, const ConvolutionFixedArguments& arguments);

}  // namespace ristretto::cuda
