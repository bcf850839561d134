// Pooling on codes, windows as in pooling.h.
#pragma once

#include <vector>

#include "../../code_tensor.h"
#include "../../context.h"
#include "../../dispatch.h"
#include "../../op_fields.h"

namespace ristretto {

// Shared by both: kernel, stride and padding.
struct CodeWindow {
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0;
};

// Of a window in the arguments. `prefix`: of the fields' names.
template <class A, class F>
void code_window_fields(F& field, CodeWindow A::*window, const std::string& prefix = "") {
  const auto add = [&](const char* name, int64_t CodeWindow::*member, int64_t least) {
    const std::string whole = prefix + (prefix.empty() ? char(name[0] | 0x20) : name[0]) + (name + 1);
    field(whole, window, member).between(least, INT32_MAX);
  };
  add("KernelH", &CodeWindow::kernel_h, 1);
  add("KernelW", &CodeWindow::kernel_w, 1);
  add("StrideH", &CodeWindow::stride_h, 1);
  add("StrideW", &CodeWindow::stride_w, 1);
  add("PadH", &CodeWindow::pad_h, 0);
  add("PadW", &CodeWindow::pad_w, 0);
}

// The largest code of each window's part inside the image; the least code of dst's range where it has none.
struct MaxPoolingCodesArguments {
  CodeTensor src;
  CodeTensor dst;  // src's type; its halo is written too
  CodeWindow window;

  template <class F>
  static void fields(F& field) {
    using A = MaxPoolingCodesArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    code_window_fields(field, &A::window);
  }
};

struct MaxPoolingCodes {
  using Arguments = MaxPoolingCodesArguments;
  static constexpr const char* name = "maxPoolingCodes";
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

  template <class F>
  static void fields(F& field) {
    using A = AveragePoolingCodesArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("fractionalLength", &A::fractional_length).between(-126, 126);
    code_window_fields(field, &A::window);
  }
};

struct AveragePoolingCodes {
  using Arguments = AveragePoolingCodesArguments;
  static constexpr const char* name = "averagePoolingCodes";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void max_pooling_codes_ref(Context& context, const MaxPoolingCodesArguments& arguments);
void average_pooling_codes_ref(Context& context, const AveragePoolingCodesArguments& arguments);

}  // namespace ristretto
