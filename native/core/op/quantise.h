// quantise: reals, channels first, to codes, channels last. dequantise: back.
#pragma once

#include <vector>

#include "../code_tensor.h"
#include "../context.h"
#include "../dispatch.h"
#include "../epilogue.h"

namespace ristretto {

struct QuantiseArguments {
  Tensor src;      // f32 (N, C, H, W), may be a channel slice
  CodeTensor dst;  // its halo is written too
  CodeFormat format;
  Rounding rounding = Rounding::half_away_from_zero;  // not stochastic
};

// code = the code of dynamic_fixed_point.h. A NaN throws Error.
struct Quantise {
  using Arguments = QuantiseArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

struct DequantiseArguments {
  CodeTensor src;
  Tensor dst;  // f32 (N, C, H, W), may be a channel slice
  int fractional_length = 0;
};

struct Dequantise {
  using Arguments = DequantiseArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void quantise_ref(Context& context, const QuantiseArguments& arguments);
void dequantise_ref(Context& context, const DequantiseArguments& arguments);

}  // namespace ristretto
