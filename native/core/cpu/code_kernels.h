// The inner loops of ops on codes other than convolutions, one table per instruction set, each compiled from
// code_kernels.inl in the compiler's own vectors. A line is a row of an image, or several that lie dense.
#pragma once

#include <cstdint>

#include "../rounding.h"
#include "../tensor_view.h"
#include "features.h"
#include "fixed_kernels.h"

namespace ristretto {

// Reals, a plane per channel, to codes of a line, channels last.
struct QuantiseLine {
  const float* src;        // of channel 0
  int64_t channel_stride;  // floats
  int64_t readable;        // floats from src to the end of its plane: at least `pixels`
  char* dst;
  int64_t pixel_stride;  // codes
  int64_t pixels, channels;
  DataType type;
  float unit, low, high;  // code = round(clamp(x * unit, low, high))
  Rounding rounding;
};

struct DequantiseLine {
  const char* src;
  int64_t pixel_stride;  // codes
  int64_t pixels, channels;
  DataType type;
  float* dst;              // of channel 0
  int64_t channel_stride;  // floats
  float step;
};

// `count` codes side by side.
struct RequantiseLine {
  const char* src;
  char* dst;
  int64_t count;
  DataType src_type, dst_type;
  FixedStep step;
  bool relu;
};

// One row of a maximum's outputs.
struct MaxLine {
  const char* src;                 // pixel 0 of the windows' first row inside the image
  int64_t row_bytes, pixel_bytes;  // of src
  int64_t rows, width;             // the windows' rows inside the image, none: 0; the image's width
  int64_t kernel_w, stride_w, pad_w;
  char* dst;
  int64_t dst_pixel_bytes;
  int64_t out_width, channels;
  DataType type;
  int empty;  // what is stored where a window has no pixel of the image
};

// The mean of one window, channel by channel.
struct MeanWindow {
  const char* src;                   // the window's first pixel inside the image
  int64_t row_stride, pixel_stride;  // codes
  int64_t rows, columns;             // inside the image
  int64_t channels;
  DataType type;
  float step, area;
  float* dst;
  int64_t channel_stride;  // floats
};

// Pixels of a line whose channels are convolved each with its own weights, the same taps for all of them.
struct DepthwiseLine {
  const char* src;  // the first pixel's window
  int64_t pixel_bytes;
  const int64_t* taps;         // bytes from a window's start to each tap
  const int64_t* weight_rows;  // and that tap's row of weights
  int64_t tap_count;
  const int32_t* weights;  // [row][channels]
  const int32_t* init;     // [channels]: what the sums start from
  const int32_t* bias;     // [channels]: what is added where store->sum_left is not 0
  int64_t pixels, channels;
  DataType type;
  const FixedStore* store;  // or null: the sums are wanted
  char* dst;
  int64_t dst_pixel_bytes;
  int32_t* sums;  // [pixels][channels]
};

struct CodeKernels {
  bool (*supports)(const CpuFeatures& features);
  bool (*quantise)(const QuantiseLine& line);  // false: a NaN was met
  void (*dequantise)(const DequantiseLine& line);
  void (*requantise)(const RequantiseLine& line);
  void (*max)(const MaxLine& line);
  void (*mean)(const MeanWindow& window);  // of fewer than 2^16 pixels
  void (*depthwise)(const DepthwiseLine& line);
};

// Null where the compiler's target lacks the instruction set.
const CodeKernels* code_kernels_avx512();
const CodeKernels* code_kernels_avx2();
const CodeKernels* code_kernels_portable();

}  // namespace ristretto
