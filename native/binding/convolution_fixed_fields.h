// The fields of a convolution on codes, for it and for what has one in it.
#pragma once

#include "core/op/convolution_fixed.h"
#include "op_binding.h"

namespace ristretto::binding {

// A is ConvolutionFixedArguments, or derived from them.
template <class A>
std::vector<Field<A>> convolution_fixed_fields() {
  return {
      codes<A>("src", &A::src),
      tensor<A>("weights", &A::weights),
      optional_tensor<A>("bias", &A::bias),
      codes<A>("dst", &A::dst),
      integer<A, int64_t>("strideH", &A::stride_h, true, 1),
      integer<A, int64_t>("strideW", &A::stride_w, true, 1),
      integer<A, int64_t>("padH", &A::pad_h, true, 0),
      integer<A, int64_t>("padW", &A::pad_w, true, 0),
      integer<A, int64_t>("dilationH", &A::dilation_h, true, 1),
      integer<A, int64_t>("dilationW", &A::dilation_w, true, 1),
      integer<A, int64_t>("group", &A::group, true, 1),
      integer<A, int64_t>("spreadH", &A::spread_h, false, 1),
      integer<A, int64_t>("spreadW", &A::spread_w, false, 1),
      integer<A, int>("srcFractionalLength", &A::src_fractional_length, true, -126, 126),
      integer<A, int>("weightsFractionalLength", &A::weights_fractional_length, true, -126, 126),
      integer<A, int>("weightsBitWidth", &A::weights_bit_width, false, 1, 16),
      code_format<A>("output", &A::output),
      boolean<A>("relu", &A::relu),
      {"consumer", "codeFormat?", false,
       [](Napi::Value v, A& a, Keep&) {
         a.consumer = code_format_from(v, 16);
         a.requantises = true;
       }},
      rounding<A>("rounding", &A::rounding),
      packed_weights<A>("packed", &A::packed),
      integer<A, int64_t>("weightsVersion", &A::weights_version, false, 0),
  };
}

}  // namespace ristretto::binding
