#include "../../cpu/code_kernels.h"
#include "check_codes.h"
#include "code_lines.h"
#include "quantise.h"

namespace ristretto {

void dequantise_ref(Context&, const DequantiseArguments& a) {
  const float step = power_of_two_float(-a.fractional_length);
  const int64_t H = a.src.height, W = a.src.width;
  for (int64_t n = 0; n < a.src.images; ++n)
    for (int64_t c = 0; c < a.src.channels; ++c)
      for (int64_t h = 0; h < H; ++h)
        for (int64_t w = 0; w < W; ++w)
          a.dst.image(n)[(c * H + h) * W + w] = float(a.src.code(n, h, w, c)) * step;
}

namespace {

template <const CodeKernels* (*kernels)()>
KernelRow<DequantiseArguments> line_row(const char* name) {
  return {name,
          [](const DequantiseArguments&, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features);
          },
          [](Context& context, const DequantiseArguments& a) {
            DequantiseLine line{};
            line.type = a.src.type;
            line.pixel_stride = a.src.pixel_stride;
            line.channels = a.src.channels;
            line.channel_stride = a.src.height * a.src.width;
            line.step = power_of_two_float(-a.fractional_length);
            for_code_lines(
                context, a.src, a.src,
                [&](const CodeLine& at) {
                  DequantiseLine l = line;
                  l.src = a.src.pixel(at.image, at.row, 0);
                  l.pixels = at.pixels;
                  l.dst = a.dst.image(at.image) + at.row * a.src.width;
                  kernels()->dequantise(l);
                },
                [](int64_t, int64_t, int64_t) {});
          }};
}

}  // namespace

void Dequantise::check(const Arguments& a) {
  check_code_tensor(a.src, "dequantise", "input");
  require_shape_of_codes(a.dst, a.src, "dequantise");
  require_code_format({1, a.fractional_length}, 16, "dequantise");
}

const std::vector<KernelRow<DequantiseArguments>>& Dequantise::rows() {
  static const std::vector<KernelRow<DequantiseArguments>> rows = {
      line_row<code_kernels_avx512>("avx512"),
      line_row<code_kernels_avx2>("avx2"),
      line_row<code_kernels_portable>("portable"),
      {"ref", [](const DequantiseArguments&, const CpuFeatures&) { return true; }, dequantise_ref},
  };
  return rows;
}

void Dequantise::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
