#include "../../cpu/code_kernels.h"
#include "../codes/check_codes.h"
#include "../codes/code_lines.h"
#include "code_window.h"

namespace ristretto {

void max_pooling_codes_ref(Context&, const MaxPoolingCodesArguments& a) {
  for (int64_t n = 0; n < a.dst.images; ++n) {
    for (int64_t p = 0; p < a.dst.height; ++p)
      for (int64_t q = 0; q < a.dst.width; ++q)
        for (int64_t c = 0; c < a.dst.channels; ++c) {
          const WindowSpan rows = window_rows(a.window, p, a.src.height);
          const WindowSpan columns = window_columns(a.window, q, a.src.width);
          int best = rows.empty() || columns.empty() ? a.dst.low : INT_MIN;
          for (int64_t h = rows.begin; h < rows.end; ++h)
            for (int64_t w = columns.begin; w < columns.end; ++w)
              best = std::max(best, a.src.code(n, h, w, c));
          a.dst.set_code(n, p, q, c, best);
        }
    fill_halo(a.dst, n, 0, a.dst.height);
  }
}

namespace {

template <const CodeKernels* (*kernels)()>
KernelRow<MaxPoolingCodesArguments> line_row(const char* name) {
  return {name,
          [](const MaxPoolingCodesArguments&, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features);
          },
          [](Context& context, const MaxPoolingCodesArguments& a) {
            MaxLine line{};
            line.type = a.src.type;
            line.row_bytes = a.src.row_stride * a.src.element_bytes();
            line.pixel_bytes = a.src.pixel_stride * a.src.element_bytes();
            line.width = a.src.width;
            // No window reads further.
            line.kernel_w = std::min(a.window.kernel_w, a.src.width + a.window.pad_w);
            line.stride_w = a.window.stride_w, line.pad_w = a.window.pad_w;
            line.dst_pixel_bytes = a.dst.pixel_stride * a.dst.element_bytes();
            line.out_width = a.dst.width, line.channels = a.src.channels;
            line.empty = a.dst.low;
            const int64_t P = a.dst.height;
            const int64_t row = a.dst.width * a.dst.channels * std::min<int64_t>(a.window.kernel_h, 16);
            context.pool.for_range(a.dst.images * P, std::max<int64_t>(1, kCodeGrain / row),
                                   [&](int64_t begin, int64_t end, int) {
                                     for (int64_t i = begin; i < end; ++i) {
                                       const int64_t n = i / P, p = i % P;
                                       const WindowSpan rows = window_rows(a.window, p, a.src.height);
                                       MaxLine l = line;
                                       l.rows = rows.empty() ? 0 : rows.end - rows.begin;
                                       l.src = a.src.pixel(n, rows.empty() ? 0 : rows.begin, 0);
                                       l.dst = a.dst.pixel(n, p, 0);
                                       kernels()->max(l);
                                       fill_halo(a.dst, n, p, p + 1);
                                     }
                                   });
          }};
}

}  // namespace

void MaxPoolingCodes::check(const Arguments& a) {
  check_code_tensor(a.src, "pooling", "input");
  check_code_tensor(a.dst, "pooling", "output");
  require(a.src.type == a.dst.type, "pooling: input and output differ in type");
  require(a.src.images == a.dst.images && a.src.channels == a.dst.channels, "pooling: input of shape ",
          a.src.shape_text(), ", output of shape ", a.dst.shape_text());
  require_code_window(a.window, a.dst.height, a.dst.width);
}

const std::vector<KernelRow<MaxPoolingCodesArguments>>& MaxPoolingCodes::rows() {
  static const std::vector<KernelRow<MaxPoolingCodesArguments>> rows = {
      line_row<code_kernels_avx512>("avx512"),
      line_row<code_kernels_avx2>("avx2"),
      line_row<code_kernels_portable>("portable"),
      {"ref", [](const MaxPoolingCodesArguments&, const CpuFeatures&) { return true; },
       max_pooling_codes_ref},
  };
  return rows;
}

void MaxPoolingCodes::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
