#include "quantise.h"

#include "check_codes.h"

namespace ristretto {

void quantise_ref(Context&, const QuantiseArguments& a) {
  const DynamicFixedPoint format =
      dynamic_fixed_point(a.format.bit_width, a.format.fractional_length, a.rounding);
  const int64_t H = a.dst.height, W = a.dst.width;
  for (int64_t n = 0; n < a.dst.images; ++n) {
    for (int64_t h = 0; h < H; ++h)
      for (int64_t w = 0; w < W; ++w)
        for (int64_t c = 0; c < a.dst.channels; ++c) {
          const float x = a.src.image(n)[(c * H + h) * W + w];
          require(!is_nan_bits(bits_of(x)), "NaN in the data to be quantised");
          a.dst.set_code(n, h, w, c, int(dynamic_fixed_point_code(x, format, 0)));
        }
    fill_halo(a.dst, n, 0, H);
  }
}

void Quantise::check(const Arguments& a) {
  check_code_tensor(a.dst, "quantise", "output");
  require_shape_of_codes(a.src, a.dst, "quantise");
  require_code_format(a.format, most_code_bits(a.dst.type), "quantise");
  require_code_rounding(a.rounding, "quantise");
}

const std::vector<KernelRow<QuantiseArguments>>& Quantise::rows() {
  static const std::vector<KernelRow<QuantiseArguments>> rows = {
      {"ref", [](const QuantiseArguments&, const CpuFeatures&) { return true; }, quantise_ref},
  };
  return rows;
}

void Quantise::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
