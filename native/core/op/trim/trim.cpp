#include "trim.h"

#include "../../cpu/span_kernels.h"
#include "../spans.h"

namespace ristretto {
namespace {

// Calls trim(from, to, count, random) for the parts of src and dst that are contiguous in both.
template <class SpanTrim>
void trim_images(Context& context, const TrimArguments& a, const SpanTrim& trim) {
  for_each_span(context, a.src, a.src.contiguous() && a.dst.contiguous(),
                [&](int64_t image, int64_t offset, int64_t element, int64_t count, int) {
                  RandomStream random = a.random;
                  random.first_element += uint64_t(element);
                  require(trim(a.src.image(image) + offset, a.dst.image(image) + offset, count, random),
                          "NaN in the data to be trimmed");
                });
}

void run_fast(Context& context, const TrimArguments& a) {
  trim_images(context, a, [&](const float* from, float* to, int64_t count, const RandomStream& random) {
    return trim_span(from, to, count, a.format, random, context.features);
  });
}

void run_ref(Context& context, const TrimArguments& a) {
  trim_images(context, a, [&](const float* from, float* to, int64_t count, const RandomStream& random) {
    return trim_span_ref(from, to, count, a.format, random);
  });
}

}  // namespace

void check_trim_format(const TrimFormat& f) {
  const auto within = [](const char* name, int value, int least, int most) {
    require(value >= least && value <= most, name, " ", value, " is not in ", least, "..", most);
  };
  switch (f.kind) {
    case FormatKind::none:
      return;
    case FormatKind::dynamic_fixed_point:
      within("bit width", f.bit_width, 1, 32);
      within("fractional length", f.fractional_length, -126, 126);
      return;
    case FormatKind::minifloat:
      within("mantissa bits", f.mantissa_bits, 0, 31);
      within("exponent bits", f.exponent_bits, 1, 8);
      return;
    case FormatKind::integer_power_of_two:
      within("least exponent", f.exponent_min, -126, 127);
      within("greatest exponent", f.exponent_max, -126, 127);
      require(f.exponent_min <= f.exponent_max, "the least exponent ", f.exponent_min,
              " exceeds the greatest, ", f.exponent_max);
      return;
  }
  fail("unknown number format");
}

bool trim_span(const float* in, float* out, int64_t count, const TrimFormat& format,
               const RandomStream& random, const CpuFeatures& features) {
  if (format.kind == FormatKind::none ||
      (format.kind == FormatKind::integer_power_of_two && format.rounding == Rounding::stochastic))
    return trim_span_ref(in, out, count, format, random);
  return span_kernels(features).trim(in, out, count, format, random);
}

void Trim::check(const Arguments& a) {
  require(a.src.type == DataType::f32 && a.dst.type == DataType::f32, "src and dst must be float32");
  require(a.src.same_shape(a.dst), "dst has shape ", a.dst.shape_text(), ", src ", a.src.shape_text());
  check_trim_format(a.format);
}

void Trim::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

const std::vector<KernelRow<TrimArguments>>& Trim::rows() {
  static const std::vector<KernelRow<TrimArguments>> rows = {
      {"spans", [](const Arguments&, const CpuFeatures&) { return true; }, run_fast},
      {"_ref", [](const Arguments&, const CpuFeatures&) { return true; }, run_ref},
  };
  return rows;
}

}  // namespace ristretto
