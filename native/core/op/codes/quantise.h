// quantise: reals, channels first, to codes, channels last. dequantise: back.
#pragma once

#include <vector>

#include "../../code_tensor.h"
#include "../../context.h"
#include "../../dispatch.h"
#include "../../epilogue.h"
#include "../../op_fields.h"

namespace ristretto {

struct QuantiseArguments {
  Tensor src;      // f32 (N, C, H, W), may be a channel slice
  CodeTensor dst;  // its halo is written too
  CodeFormat format;
  Rounding rounding = Rounding::half_away_from_zero;  // not stochastic

  template <class F>
  static void fields(F& field) {
    using A = QuantiseArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("format", &A::format);
    field("rounding", &A::rounding);
  }
};

// code = the code of dynamic_fixed_point.h. A NaN throws Error.
struct Quantise {
  using Arguments = QuantiseArguments;
  static constexpr const char* name = "quantise";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

struct DequantiseArguments {
  CodeTensor src;
  Tensor dst;  // f32 (N, C, H, W), may be a channel slice
  int fractional_length = 0;

  template <class F>
  static void fields(F& field) {
    using A = DequantiseArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("fractionalLength", &A::fractional_length).between(-126, 126);
  }
};

struct Dequantise {
  using Arguments = DequantiseArguments;
  static constexpr const char* name = "dequantise";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void quantise_ref(Context& context, const QuantiseArguments& arguments);
void dequantise_ref(Context& context, const DequantiseArguments& arguments);

}  // namespace ristretto
