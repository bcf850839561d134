// Fixed-point convolutions on the device, activations of 8 bits, against its matrix products and its memory.
#pragma once

#include <cstdint>
#include <string>

#include "rates.h"
#include "shapes.h"

namespace ristretto::bench {

struct ConvolutionRow {
  bool on_device = false;
  std::string left_out;  // why it was not measured, or empty
  double seconds = 0;
  double warpgroup_seconds = 0;  // of the kernel for warp groups, where device and problem have it
  double operations = 0;         // 2 a multiply-accumulate
  double bytes = 0;              // source, weights, bias, result: each once
  double floor = 0;              // seconds that the device needs at least, at the rates of the same rounds
};

// With weights of 2 to 8 bits. Throws Error where a code is not the CPU's.
ConvolutionRow bench_convolution(Machine& machine, RateMeter& meter, const Rates& rates, const Shape& shape,
                                 int64_t images, int weights_bits);

}  // namespace ristretto::bench
