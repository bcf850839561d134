// What the kernels of fixed-point convolutions by tiles are told, and how a tile's memory is laid out.
#pragma once

#include "convolution_fixed.h"
#include "core/op/quantized_convolution/fixed_step.h"
#include "cuda/code_step.h"
#include "cuda/code_vectors.h"
#include "fixed_patches.h"

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
  FixedPatches patches;
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

}  // namespace ristretto::cuda
