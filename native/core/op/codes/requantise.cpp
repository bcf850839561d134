#include "requantise.h"

#include "../../cpu/code_kernels.h"
#include "../quantized_convolution/fixed_step.h"
#include "check_codes.h"
#include "code_lines.h"

namespace ristretto {

void requantise_ref(Context&, const RequantiseArguments& a) {
  const Requantise to = make_requantise(a.src_fractional_length, a.format, a.rounding);
  for (int64_t n = 0; n < a.src.images; ++n) {
    for (int64_t h = 0; h < a.src.height; ++h)
      for (int64_t w = 0; w < a.src.width; ++w)
        for (int64_t c = 0; c < a.src.channels; ++c) {
          int code = a.src.code(n, h, w, c);
          if (a.relu && code < 0) code = 0;
          a.dst.set_code(n, h, w, c, int(requantise(code, to)));
        }
    fill_halo(a.dst, n, 0, a.dst.height);
  }
}

namespace {

template <const CodeKernels* (*kernels)()>
KernelRow<RequantiseArguments> line_row(const char* name) {
  return {name,
          [](const RequantiseArguments& a, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features) &&
                   make_fixed_code_step(make_requantise(a.src_fractional_length, a.format, a.rounding));
          },
          [](Context& context, const RequantiseArguments& a) {
            RequantiseLine line{};
            line.src_type = a.src.type, line.dst_type = a.dst.type;
            line.step = *make_fixed_code_step(make_requantise(a.src_fractional_length, a.format, a.rounding));
            line.relu = a.relu;
            // Side by side in both: a line is one run of codes, else every pixel is.
            const bool dense = a.src.pixel_stride == a.src.channels && a.dst.pixel_stride == a.dst.channels;
            for_code_lines(
                context, a.src, a.dst,
                [&](const CodeLine& at) {
                  RequantiseLine l = line;
                  l.count = a.src.channels * (dense ? at.pixels : 1);
                  for (int64_t w = 0; w < (dense ? 1 : at.pixels); ++w) {
                    l.src = a.src.pixel(at.image, at.row, w);
                    l.dst = a.dst.pixel(at.image, at.row, w);
                    kernels()->requantise(l);
                  }
                },
                [&](int64_t n, int64_t begin, int64_t end) { fill_halo(a.dst, n, begin, end); });
          }};
}

}  // namespace

void RequantiseCodes::check(const Arguments& a) {
  check_code_tensor(a.src, "requantise", "input");
  check_code_tensor(a.dst, "requantise", "output");
  require(a.src.images == a.dst.images && a.src.height == a.dst.height && a.src.width == a.dst.width &&
              a.src.channels == a.dst.channels,
          "requantise: input of shape ", a.src.shape_text(), ", output of shape ", a.dst.shape_text());
  require_code_format({1, a.src_fractional_length}, 16, "requantise");
  require_code_format(a.format, most_code_bits(a.dst.type), "requantise");
  require_code_rounding(a.rounding, "requantise");
}

const std::vector<KernelRow<RequantiseArguments>>& RequantiseCodes::rows() {
  static const std::vector<KernelRow<RequantiseArguments>> rows = {
      line_row<code_kernels_avx512>("avx512"),
      line_row<code_kernels_avx2>("avx2"),
      line_row<code_kernels_portable>("portable"),
      {"ref", [](const RequantiseArguments&, const CpuFeatures&) { return true; }, requantise_ref},
  };
  return rows;
}

void RequantiseCodes::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
