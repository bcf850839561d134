#include "quantise.h"

#include <algorithm>

#include "../../cpu/code_kernels.h"
#include "check_codes.h"
#include "code_lines.h"

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

namespace {

template <const CodeKernels* (*kernels)()>
KernelRow<QuantiseArguments> line_row(const char* name) {
  return {name,
          [](const QuantiseArguments&, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features);
          },
          [](Context& context, const QuantiseArguments& a) {
            const DynamicFixedPoint format =
                dynamic_fixed_point(a.format.bit_width, a.format.fractional_length, a.rounding);
            const int64_t plane = a.dst.height * a.dst.width;
            QuantiseLine line{};
            line.type = a.dst.type;
            line.unit = power_of_two_float(a.format.fractional_length);
            line.low = float(format.low), line.high = float(format.high);
            line.rounding = a.rounding;
            for_code_lines(
                context, a.dst, a.dst,
                [&](const CodeLine& at) {
                  QuantiseLine l = line;
                  const int64_t first = at.row * a.dst.width;
                  l.src = a.src.image(at.image) + first;
                  l.dst = a.dst.pixel(at.image, at.row, 0);
                  if (plane == 1) {  // channels side by side in both: pixels of one channel
                    l.pixels = l.readable = a.dst.channels;
                    l.channels = l.pixel_stride = 1;
                  } else {
                    l.pixels = at.pixels, l.readable = plane - first;
                    l.channels = a.dst.channels, l.pixel_stride = a.dst.pixel_stride;
                  }
                  l.channel_stride = plane;
                  require(kernels()->quantise(l), "NaN in the data to be quantised");
                },
                [&](int64_t n, int64_t begin, int64_t end) { fill_halo(a.dst, n, begin, end); });
          }};
}

}  // namespace

void Quantise::check(const Arguments& a) {
  check_code_tensor(a.dst, "quantise", "output");
  require_shape_of_codes(a.src, a.dst, "quantise");
  require_code_format(a.format, most_code_bits(a.dst.type), "quantise");
  require_code_rounding(a.rounding, "quantise");
}

const std::vector<KernelRow<QuantiseArguments>>& Quantise::rows() {
  static const std::vector<KernelRow<QuantiseArguments>> rows = {
      line_row<code_kernels_avx512>("avx512"),
      line_row<code_kernels_avx2>("avx2"),
      line_row<code_kernels_portable>("portable"),
      {"ref", [](const QuantiseArguments&, const CpuFeatures&) { return true; }, quantise_ref},
  };
  return rows;
}

void Quantise::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
