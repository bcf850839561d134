// Pooling of one plane, per instruction set: vertically into a padded row, then along the row.
#pragma once

#include <cstdint>

#include "features.h"

namespace ristretto {

// Output rows that are worked on together before any is read along: a fifth of the time of planes of 27 x 27
// (AVX2, Zen 3), nothing for larger ones.
constexpr int kPoolRows = 8;

struct PoolPlane {
  const float* src;
  float* dst;
  int64_t height, width, out_height, out_width;
  int64_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
  float* rows;          // kPoolRows padded rows, filled with the identity (-FLT_MAX or 0)
  int64_t row_length;   // room for a vector that runs over the end included
  const float* widths;  // [out_width] each window's width in the padded image; 0: no part of the image in it
};

// One row of the image under one row of windows, in search of each window's maximum.
struct PoolRow {
  const float* row;  // padded; -FLT_MAX beside the image; room for a vector that runs over the end
  int64_t windows, kernel_w, stride_w;
  float first;  // number of the row's first element in a window
  float* best;  // [windows, whole vectors] the largest so far
  float* at;    // the same: its number in the window, the first one's of equals
};

struct PoolKernels {
  bool (*supports)(const CpuFeatures& features);
  void (*max)(const PoolPlane& plane);
  void (*average)(const PoolPlane& plane);
  void (*places)(const PoolRow& row);
};

// Floats of the longest vector.
constexpr int64_t kPoolLanes = 16;

// Null where the compiler's target lacks the instruction set.
const PoolKernels* pool_kernels_avx512();
const PoolKernels* pool_kernels_avx2();
const PoolKernels* pool_kernels_portable();

}  // namespace ristretto
