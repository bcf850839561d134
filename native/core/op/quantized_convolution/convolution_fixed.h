// Convolution on codes (docs/numerics.md, 6), inner products included (a kernel as large as the image):
//
//   dst[n,p,q,k] = epilogue(sum over r,s,c of src[n, p*stride-pad+r*dilation, q*stride-pad+s*dilation, c] *
//                  weights[k,c,r,s], bias[k])
//
// With `spread` above 1 src is taken with spread - 1 rows and columns of 0 between its own: a deconvolution
// of that stride is the convolution with spread, its weights flipped, of stride 1 (docs/kernels.md).
//
// The sum is exact, so every kernel gives the same codes. Outside the image src is 0; where its halo covers
// the padding, kernels may read it there.
#pragma once

#include <vector>

#include "../../code_tensor.h"
#include "../../context.h"
#include "../../dispatch.h"
#include "../../epilogue.h"
#include "../convolution/convolution.h"
#include "../shared_fields.h"

namespace ristretto {

struct ConvolutionFixedArguments {
  CodeTensor src;
  Tensor weights;  // codes, i8 or i16, (K, C / group, R, S), contiguous
  Tensor bias;     // codes, i32, (K), or empty; fractional length as the weights'
  CodeTensor dst;  // may be a slice of channels
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, group = 1;
  int64_t spread_h = 1, spread_w = 1;
  int src_fractional_length = 0, weights_fractional_length = 0;
  // No code of the weights takes more bits; 0: as many as their type has. Kernels may keep them in so many,
  // and then refuse codes that take more.
  int weights_bit_width = 0;
  CodeFormat output;
  bool relu = false;
  bool requantises = false;  // for the consumer, after output and ReLU
  CodeFormat consumer;       // then what dst holds
  Rounding rounding = Rounding::half_away_from_zero;
  PackedWeights* packed = nullptr;  // or null: pack for this call only
  int64_t weights_version = 0;

  template <class F>
  static void fields(F& field) {
    using A = ConvolutionFixedArguments;
    field("src", &A::src);
    field("weights", &A::weights).doc("Codes, i8 or i16, (K, C / group, R, S).");
    field("bias", &A::bias).optional().doc("Codes, i32, (K).");
    field("dst", &A::dst);
    convolution_window_fields<A>(field);
    field("spreadH", &A::spread_h)
        .optional()
        .at_least(1)
        .doc(
            "The distance at which the input's rows and columns stand, with zeros between them: a "
            "deconvolution's stride.");
    field("spreadW", &A::spread_w).optional().at_least(1);
    field("srcFractionalLength", &A::src_fractional_length).between(-126, 126);
    field("weightsFractionalLength", &A::weights_fractional_length).between(-126, 126);
    field("weightsBitWidth", &A::weights_bit_width)
        .optional()
        .between(1, 16)
        .doc(
            "No code of the weights takes more bits: a device may keep them in so many, and then refuses "
            "codes that take more.");
    field("output", &A::output);
    field("relu", &A::relu);
    field("consumer", &A::consumer, &A::requantises)
        .optional()
        .doc("The consumer's format: a second requantisation behind output and ReLU.");
    field("rounding", &A::rounding);
    packed_fields<A>(field);
  }
};

struct ConvolutionFixed {
  using Arguments = ConvolutionFixedArguments;
  static constexpr const char* name = "convolutionFixed";
  // Throws Error when shapes and parameters do not fit together, or when a sum could exceed 63 bits.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

FixedEpilogue epilogue_of(const ConvolutionFixedArguments& arguments);

// What the weights say of the largest sums, over all output channels. log2 of each bound, rounded up: a word
// of that many bits and a sign holds it.
struct FixedBound {
  int sum_bits = 0;  // of the plain sum
  int acc_bits = 0;  // of sum, bias and rounding together
  bool sum_fits_32() const { return sum_bits <= 31; }
  bool acc_fits_32() const { return acc_bits <= 31; }
  bool acc_fits_64() const { return acc_bits <= 63; }
};
FixedBound fixed_bound(const ConvolutionFixedArguments& arguments);

// The definition: one loop per index. Never optimised.
void convolution_fixed_ref(Context& context, const ConvolutionFixedArguments& arguments);

}  // namespace ristretto
