// convolution: 2-D, grouped, dilated, with the bias, a trim of input and output and a ReLU fused in.
//
//   dst[n,k,p,q] = relu(trim_dst(bias[k] + sum_{c,r,s} trim_src(src[n,c,p*stride-pad+r*dilation,...]) *
//   w[k,c,r,s]))
//
// The trims are optional. Outside the image src is 0. A NaN met by a trim throws Error, naming input or
// output. Sums are float32, in an order that depends on the kernel but not on the number of threads or the
// batch.
#pragma once

#include <memory>
#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../format/trim_format.h"
#include "../../tensor_view.h"
#include "../shared_fields.h"

namespace ristretto {

// Weights in the order that a kernel reads them, kept between forwards. Repacked when `version` changes.
class PackedWeights {
 public:
  virtual ~PackedWeights() = default;
  int64_t version = -1;             // of the weights that were packed; -1: nothing packed
  const void* packed_by = nullptr;  // the row that packed them
  // What else the packing depends on, in the words of who packed.
  std::vector<int64_t> facts;
  AlignedBuffer data;
};

struct ConvolutionArguments {
  Tensor src;      // (N, C, H, W)
  Tensor weights;  // (K, C / group, R, S)
  Tensor bias;     // (K), or empty
  Tensor dst;      // (N, K, P, Q)
  int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1, group = 1;
  bool relu = false;
  bool winograd = false;  // allow algorithms whose intermediate values round more than a plain sum's
  TrimFormat src_trim, dst_trim;
  RandomStream src_random, dst_random;  // of stochastic trims; first_element is that of the first image
  PackedWeights* packed = nullptr;      // or null: pack for this call only
  int64_t weights_version = 0;

  template <class F>
  static void fields(F& field) {
    using A = ConvolutionArguments;
    field("src", &A::src);
    field("weights", &A::weights);
    field("bias", &A::bias).optional();
    field("dst", &A::dst);
    field("relu", &A::relu);
    field("winograd", &A::winograd);
    trim_fields<A>(field);
    packed_fields<A>(field);
    convolution_window_fields<A>(field);
  }
};

struct Convolution {
  using Arguments = ConvolutionArguments;
  static constexpr const char* name = "convolution";
  // Throws Error when shapes and parameters do not fit together.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

// The definition: one loop per index, float32 sums in the order c, r, s. Never optimised.
void convolution_ref(Context& context, const ConvolutionArguments& arguments);

}  // namespace ristretto
