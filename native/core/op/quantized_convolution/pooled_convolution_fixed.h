// Convolution on codes with maximum pooling behind it, as one op: where the codes between the two need not
// exist, a device saves itself their way to memory and back. It gives the codes of one op after the other.
#pragma once

#include "../../op_fields.h"
#include "../pooling/pooling_codes.h"
#include "convolution_fixed.h"

namespace ristretto {

// dst is the pooling's; its type, range and format are the convolution's too.
struct PooledConvolutionFixedArguments : ConvolutionFixedArguments {
  CodeWindow window;

  template <class F>
  static void fields(F& field) {
    using A = PooledConvolutionFixedArguments;
    ConvolutionFixedArguments::fields(field);
    code_window_fields(field, &A::window, "pool");
  }
};

struct PooledConvolutionFixed {
  using Arguments = PooledConvolutionFixedArguments;
  static constexpr const char* name = "pooledConvolutionFixed";
  static constexpr const char* doc =
      "A convolution whose output is pooled, as by `maxPoolingCodes`, before it is written: `dst` is the "
      "pooling's.";
  static void check(const Arguments& arguments);
  // One after the other, by the codes between them in memory of its own.
  static void run(Context& context, const Arguments& arguments);
};

// The convolution alone, its output in `memory`: as many bytes as between_bytes says, none where it is not to
// run.
ConvolutionFixedArguments convolution_of(const PooledConvolutionFixedArguments& arguments, void* memory);
int64_t between_bytes(const PooledConvolutionFixedArguments& arguments);
// The pooling alone, of what convolution_of wrote.
MaxPoolingCodesArguments pooling_of(const PooledConvolutionFixedArguments& arguments, void* memory);

}  // namespace ristretto
