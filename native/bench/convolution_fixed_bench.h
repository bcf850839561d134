// Every kernel of the fixed-point convolution on one problem: checked against the definition, then timed in
// turns with the processor's own best.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/context.h"

namespace ristretto::bench {

struct ConvolutionProblem {
  int64_t channels = 1, height = 1, width = 1, kernels = 1, kernel_h = 1, kernel_w = 1;
  int64_t stride = 1, pad = 0, group = 1, images = 1;
  int bits = 8;  // of codes and weights: 8 or 16
};

struct ConvolutionTiming {
  std::string kernel;       // the row
  bool definition = false;  // timed by the one run on one image that the others were checked with
  double seconds = 0;       // of one run, the least of all rounds
  double operations = 0;    // of one run: 2 a multiply-accumulate
  std::string instruction;  // "" where there is no loop to compare with
  double peak = 0;          // operations a second of that instruction, on as many threads, in the same rounds
};

// Throws Error where the problem makes no sense, or a kernel's codes are not the definition's. `kernel`: this
// row only, or "" for all that support the problem. `seconds`: how long each kernel is timed at least.
std::vector<ConvolutionTiming> bench_convolution_fixed(Context& context, const ConvolutionProblem& problem,
                                                       const std::string& kernel, double seconds);

}  // namespace ristretto::bench
