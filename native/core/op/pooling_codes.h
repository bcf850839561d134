// Pooling on codes, windows as in pooling.h.
#pragma once

#include <vector>

#include "../code_tensor.h"
#include "../context.h"
#include "../dispatch.h"

namespace ristretto {

// Shared by both: kernel, stride and padding.
struct CodeWindow {
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;
};

// The largest code of each window's part inside the image; the least code of dst's range where it has none.
struct MaxPoolingCodesArguments {
  CodeTensor src;
  CodeTensor dst;  // src's type; its halo is written too
  CodeWindow window;
};

struct MaxPoolingCodes {
  using Arguments = MaxPoolingCodesArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

// The mean in float32: codes are summed exactly, the sum is rounded to float32, scaled by
// 2^-fractional_length and divided by the window's area clipped to the padded image.
struct AveragePoolingCodesArguments {
  CodeTensor src;
  Tensor dst;  // f32 (N, C, P, Q), may be a channel slice
  CodeWindow window;
  int fractional_length = 0;
};

struct AveragePoolingCodes {
  using Arguments = AveragePoolingCodesArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void max_pooling_codes_ref(Context& context, const MaxPoolingCodesArguments& arguments);
void average_pooling_codes_ref(Context& context, const AveragePoolingCodesArguments& arguments);

}  // namespace ristretto
