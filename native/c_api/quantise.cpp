#include "core/op/codes/quantise.h"

#include "call.h"
#include "core/op/codes/requantise.h"
#include "views.h"

using namespace ristretto;

ristretto_status ristretto_quantise(ristretto_context* context, const ristretto_floats* src,
                                    const ristretto_codes* dst, ristretto_code_format format,
                                    ristretto_rounding rounding) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    QuantiseArguments a;
    a.src = c_api::floats_of(src, "src");
    a.dst = c_api::codes_of(dst, "dst");
    a.format = c_api::code_format_of(format, "format");
    a.rounding = c_api::rounding_of(rounding);
    c_api::check_and_run<Quantise>(core, a);
  });
}

ristretto_status ristretto_dequantise(ristretto_context* context, const ristretto_codes* src,
                                      const ristretto_floats* dst, int32_t fractional_length) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    DequantiseArguments a;
    a.src = c_api::codes_of(src, "src");
    a.dst = c_api::floats_of(dst, "dst");
    a.fractional_length = fractional_length;
    c_api::check_and_run<Dequantise>(core, a);
  });
}

ristretto_status ristretto_requantise(ristretto_context* context, const ristretto_codes* src,
                                      const ristretto_codes* dst, int32_t src_fractional_length,
                                      ristretto_code_format format, ristretto_rounding rounding,
                                      int32_t relu) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    RequantiseArguments a;
    a.src = c_api::codes_of(src, "src");
    a.dst = c_api::codes_of(dst, "dst");
    a.src_fractional_length = src_fractional_length;
    a.format = c_api::code_format_of(format, "format");
    a.rounding = c_api::rounding_of(rounding);
    a.relu = relu != 0;
    c_api::check_and_run<RequantiseCodes>(core, a);
  });
}
