#include "call.h"
#include "core/op/pooling/pooling_codes.h"
#include "views.h"

using namespace ristretto;

namespace {

CodeWindow window_of(const ristretto_window* window) {
  require(window != nullptr, "window: is NULL");
  CodeWindow w;
  w.kernel_h = window->kernel_h;
  w.kernel_w = window->kernel_w;
  w.stride_h = c_api::one_if_zero(window->stride_h);
  w.stride_w = c_api::one_if_zero(window->stride_w);
  w.pad_h = window->pad_h;
  w.pad_w = window->pad_w;
  return w;
}

}  // namespace

ristretto_status ristretto_max_pooling(ristretto_context* context, const ristretto_codes* src,
                                       const ristretto_codes* dst, const ristretto_window* window) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    MaxPoolingCodesArguments a;
    a.src = c_api::codes_of(src, "src");
    a.dst = c_api::codes_of(dst, "dst");
    a.window = window_of(window);
    c_api::check_and_run<MaxPoolingCodes>(core, a);
  });
}

ristretto_status ristretto_average_pooling(ristretto_context* context, const ristretto_codes* src,
                                           const ristretto_floats* dst, const ristretto_window* window,
                                           int32_t fractional_length) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    AveragePoolingCodesArguments a;
    a.src = c_api::codes_of(src, "src");
    a.dst = c_api::floats_of(dst, "dst");
    a.window = window_of(window);
    a.fractional_length = fractional_length;
    c_api::check_and_run<AveragePoolingCodes>(core, a);
  });
}
