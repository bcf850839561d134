// quantise_tensor: reals to codes in a plain tensor of the same shape: weights and biases.
#pragma once

#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../epilogue.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct QuantiseTensorArguments {
  Tensor src;                                         // f32
  Tensor dst;                                         // i8, i16 or i32, of src's shape
  CodeFormat format;                                  // of 1 to 32 bits here, as many as dst's type holds
  Rounding rounding = Rounding::half_away_from_zero;  // not stochastic

  template <class F>
  static void fields(F& field) {
    using A = QuantiseTensorArguments;
    field("src", &A::src);
    field("dst", &A::dst).doc("i8, i16 or i32, of src's shape.");
    field("format", &A::format).at_most(32).doc("Of 1 to 32 bits here, as many as dst's type holds.");
    field("rounding", &A::rounding);
  }
};

// code = the code of dynamic_fixed_point.h. A NaN throws Error.
struct QuantiseTensor {
  using Arguments = QuantiseTensorArguments;
  static constexpr const char* name = "quantiseTensor";
  static constexpr const char* doc = "Of weights and biases.";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void quantise_tensor_ref(Context& context, const QuantiseTensorArguments& arguments);

}  // namespace ristretto
