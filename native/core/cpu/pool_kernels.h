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

// A place in a window where there is no maximum.
constexpr int32_t kNoPlace = -1;

// A row of windows over rows of the padded image whose elements were parted by stride: element i of phase f
// is element i * stride + f, so that neighbouring windows read neighbouring elements.
struct PoolWindowRows {
  const float* const* rows;  // [height]; a phase has phase_length elements, -FLT_MAX outside of the image
  int64_t height, width;     // of a window
  int64_t stride, phase_length;
  int64_t row_step;  // what a row adds to a place
  int64_t count;     // windows; phases and places have room for a multiple of 16
  float floor;       // what a maximum has to exceed
};

struct PoolKernels {
  bool (*supports)(const CpuFeatures& features);
  void (*max)(const PoolPlane& plane);
  void (*average)(const PoolPlane& plane);
  // Deals `groups` groups of `stride` elements out to as many phases.
  void (*part)(const float* from, int64_t groups, int64_t stride, float* to, int64_t phase_length);
  // A copy past the caches where the processor can: what is overwritten whole need not be read first.
  void (*copy_past_caches)(const float* from, int64_t count, float* to);
  // The first maximum of each window as row * row_step + column, or kNoPlace.
  void (*places)(const PoolWindowRows& windows, int32_t* place);
};

// Null where the compiler's target lacks the instruction set.
const PoolKernels* pool_kernels_avx512();
const PoolKernels* pool_kernels_avx2();
const PoolKernels* pool_kernels_portable();

}  // namespace ristretto
