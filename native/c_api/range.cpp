#include "core/op/trim/range.h"

#include "call.h"
#include "views.h"

using namespace ristretto;

namespace {

Tensor of_integers(int32_t* data, int64_t count) {
  Tensor t = Tensor::of(nullptr, {count});
  t.data = data;
  t.type = DataType::i32;
  return t;
}

}  // namespace

ristretto_status ristretto_range(ristretto_context* context, const float* src, int64_t count,
                                 const ristretto_format* format, ristretto_range_result* result) {
  return c_api::call([&] {
    Context& core = c_api::context_of(context);
    require(result != nullptr, "result: is NULL");
    float extremes[3] = {};
    int32_t counts[3] = {};
    RangeArguments a;
    a.src = c_api::span_of(src, count, "src");
    a.extremes = Tensor::of(extremes, {3});
    a.counts = of_integers(counts, 3);
    a.exponents = of_integers(result->exponents, 256);
    if (format) a.format = c_api::format_of(format);
    c_api::check_and_run<Range>(core, a);
    result->least = extremes[0];
    result->greatest = extremes[1];
    result->largest_magnitude = extremes[2];
    result->nans = counts[0];
    result->infinities = counts[1];
    result->saturated = counts[2];
  });
}
