// requantise: codes of one format to codes of another, with a ReLU before it if asked.
#pragma once

#include <vector>

#include "../../code_tensor.h"
#include "../../context.h"
#include "../../dispatch.h"
#include "../../epilogue.h"
#include "../../op_fields.h"

namespace ristretto {

struct RequantiseArguments {
  CodeTensor src;
  CodeTensor dst;  // of src's shape, any type; its halo is written too
  int src_fractional_length = 0;
  CodeFormat format;  // of dst
  Rounding rounding = Rounding::half_away_from_zero;
  bool relu = false;

  template <class F>
  static void fields(F& field) {
    using A = RequantiseArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("srcFractionalLength", &A::src_fractional_length).between(-126, 126);
    field("format", &A::format);
    field("rounding", &A::rounding);
    field("relu", &A::relu);
  }
};

struct RequantiseCodes {
  using Arguments = RequantiseArguments;
  static constexpr const char* name = "requantise";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void requantise_ref(Context& context, const RequantiseArguments& arguments);

}  // namespace ristretto
