// The inner loops of convolutions on codes, one table per instruction set. Blocking, packing of weights and
// threads are written once above it (op/convolution_fixed_tiles.cpp).
#pragma once

#include <climits>
#include <cstdint>

#include "../epilogue.h"
#include "../tensor_view.h"
#include "features.h"

namespace ristretto {

// A rounding shift in 32 bits: code = clamp(((x << left) + add + ((x >> sign_shift) & mask)) >> right, low,
// high). Every rounding rule but the stochastic one has this form (make_fixed_step says which constants).
struct FixedStep {
  int left = 0;
  int32_t add = 0;
  int sign_shift = 31;
  int32_t mask = 0;
  int right = 0;
  int32_t low = 0, high = 0;
};

// The epilogue on 32-bit sums. They hold the bias already where sum_left is 0.
struct FixedStore {
  int sum_left = 0;   // acc = (sum << sum_left) + bias
  bool relu = false;  // before everything: roundings keep the sign
  FixedStep output;
  bool has_consumer = false;
  FixedStep consumer;
  int32_t zero = 0;  // added to the code: 128 where u8 is stored
  DataType type = DataType::i8;
};

// The epilogue as nearly every layer has it, in registers: sums whose start holds bias and rounding, a ReLU,
// codes of 8 bits: code = min(max(sum >> right, 0), high), then the consumer's.
struct QuickStore {
  int right = 0;
  int32_t high = 0;
  bool has_consumer = false;
  struct Step {
    int left = 0, right = 0;
    int32_t add = 0, high = 0;  // min(((code << left) + add) >> right, high)
  } consumer;
};

// Several pixels of one output line times several vectors of output channels. The input is read as bytes:
// a pixel's window is `run_count` runs of `run_steps` * 4 contiguous bytes, 4 codes of 8 bits or 2 of 16 a
// step.
struct FixedTile {
  const char* src;  // the first pixel's window
  int64_t pixel_bytes;
  const int64_t* runs;  // byte offset of each run from the window's start
  int64_t run_count, run_steps;
  const char* weights;  // [run][step][vectors][lanes][4 bytes]
  int64_t run_weights;  // bytes from one run's weights to the next one's
  const int32_t* init;  // [vectors * lanes]: what the sums start from
  // Where the results go: codes, if `quick` says how and all of the vectors' channels exist, else the sums.
  const QuickStore* quick;
  char* dst;
  int64_t dst_pixel_bytes;
  int32_t* sums;  // [pixels][vectors * lanes]
};

struct FixedKernels {
  static constexpr int kMostVectors = 3, kMostPixels = 14;
  using Tile = void (*)(const FixedTile& tile);
  // Applies the epilogue to [pixels][width] sums, the first `channels` of each, and stores codes.
  using Store = void (*)(const int32_t* sums, int64_t pixels, int64_t width, const int32_t* bias,
                         const FixedStore& store, char* dst, int64_t dst_pixel_bytes, int64_t channels);

  const char* name;
  int lanes;                 // output channels in a vector
  int pixels[kMostVectors];  // that one tile covers at most, by vectors - 1
  bool (*available)(const CpuFeatures& features);
  // Bytes are multiplied exactly while (stored src) * (|w| + |w'|) stays within this for every two
  // neighbouring weights; where it may not, codes go in as 16 bits.
  int32_t most_pair;
  bool signed_bytes;  // bytes of src are signed, else unsigned
  // [vectors - 1][pixels - 1]; null beyond `pixels`. Weights and words are signed.
  Tile bytes[kMostVectors][kMostPixels];
  Tile words[kMostVectors][kMostPixels];
  Store store;
};

// Null where this build has no such code.
const FixedKernels* fixed_kernels_avx512_vnni();
const FixedKernels* fixed_kernels_avx512();
const FixedKernels* fixed_kernels_avx_vnni();
const FixedKernels* fixed_kernels_avx2();
const FixedKernels* fixed_kernels_neon_dot();
const FixedKernels* fixed_kernels_portable();

}  // namespace ristretto
