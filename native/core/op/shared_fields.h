// Fields that several ops share (op_fields.h).
#pragma once

#include "../op_fields.h"

namespace ristretto {

// How windows lie on an image.
template <class A, class F>
void window_fields(F& field) {
  field("strideH", &A::stride_h).at_least(1);
  field("strideW", &A::stride_w).at_least(1);
  field("padH", &A::pad_h).at_least(0);
  field("padW", &A::pad_w).at_least(0);
}

// The same for kernels with gaps.
template <class A, class F>
void dilated_window_fields(F& field) {
  window_fields<A>(field);
  field("dilationH", &A::dilation_h).at_least(1);
  field("dilationW", &A::dilation_w).at_least(1);
}

// The same in groups of channels.
template <class A, class F>
void convolution_window_fields(F& field) {
  dilated_window_fields<A>(field);
  field("group", &A::group).at_least(1);
}

template <class A, class F>
void kernel_size_fields(F& field) {
  field("kernelH", &A::kernel_h).at_least(1);
  field("kernelW", &A::kernel_w).at_least(1);
}

// Trims of the input and the output.
template <class A, class F>
void trim_fields(F& field) {
  field("srcTrim", &A::src_trim);
  field("dstTrim", &A::dst_trim);
  field("srcRandom", &A::src_random);
  field("dstRandom", &A::dst_random);
}

template <class A, class F>
void packed_fields(F& field) {
  field("packed", &A::packed);
  field("weightsVersion", &A::weights_version).optional().at_least(0);
}

// Of the gradient of an op with weights.
template <class A, class F>
void weighted_gradient_fields(F& field) {
  field("src", &A::src);
  field("weights", &A::weights);
  field("dstDiff", &A::dst_diff);
  field("srcDiff", &A::src_diff).optional().doc("Overwritten.");
  field("weightsDiff", &A::weights_diff).optional().doc("Added to, as biasDiff is.");
  field("biasDiff", &A::bias_diff).optional();
}

}  // namespace ristretto
