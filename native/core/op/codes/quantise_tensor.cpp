#include "quantise_tensor.h"

#include "../spans.h"
#include "check_codes.h"

namespace ristretto {
namespace {

template <class Code>
void quantise_span(const float* src, Code* dst, int64_t count, const DynamicFixedPoint& format) {
  for (int64_t i = 0; i < count; ++i) {
    require(!is_nan_bits(bits_of(src[i])), "NaN in the data to be quantised");
    dst[i] = Code(dynamic_fixed_point_code(src[i], format, 0));
  }
}

template <class Code>
void quantise_images(Context& context, const QuantiseTensorArguments& a) {
  const DynamicFixedPoint format =
      dynamic_fixed_point(a.format.bit_width, a.format.fractional_length, a.rounding);
  for_each_span(context, a.src, a.src.contiguous() && a.dst.contiguous(),
                [&](int64_t image, int64_t offset, int64_t, int64_t count, int) {
                  quantise_span(a.src.image(image) + offset,
                                static_cast<Code*>(a.dst.data) + image * a.dst.image_stride + offset, count,
                                format);
                });
}

}  // namespace

void quantise_tensor_ref(Context& context, const QuantiseTensorArguments& a) {
  if (a.dst.type == DataType::i32)
    quantise_images<int32_t>(context, a);
  else if (a.dst.type == DataType::i16)
    quantise_images<int16_t>(context, a);
  else
    quantise_images<int8_t>(context, a);
}

void QuantiseTensor::check(const Arguments& a) {
  require(a.src.data != nullptr && a.src.type == DataType::f32,
          "quantise: the input is not a float32 tensor");
  require(a.dst.data != nullptr &&
              (a.dst.type == DataType::i8 || a.dst.type == DataType::i16 || a.dst.type == DataType::i32),
          "quantise: the output is not a tensor of signed integers");
  require(a.src.same_shape(a.dst), "quantise: input of shape ", a.src.shape_text(), ", output of shape ",
          a.dst.shape_text());
  require_code_format(a.format, most_code_bits(a.dst.type), "quantise");
  require_code_rounding(a.rounding, "quantise");
}

const std::vector<KernelRow<QuantiseTensorArguments>>& QuantiseTensor::rows() {
  static const std::vector<KernelRow<QuantiseTensorArguments>> rows = {
      {"ref", [](const QuantiseTensorArguments&, const CpuFeatures&) { return true; }, quantise_tensor_ref},
  };
  return rows;
}

void QuantiseTensor::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
