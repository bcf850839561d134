#include "../../cpu/code_kernels.h"
#include "../codes/check_codes.h"
#include "../codes/code_lines.h"
#include "code_window.h"

namespace ristretto {

void average_pooling_codes_ref(Context&, const AveragePoolingCodesArguments& a) {
  const float step = power_of_two_float(-a.fractional_length);
  const int64_t P = a.dst.legacy_dim(2), Q = a.dst.legacy_dim(3);
  for (int64_t n = 0; n < a.src.images; ++n)
    for (int64_t c = 0; c < a.src.channels; ++c)
      for (int64_t p = 0; p < P; ++p)
        for (int64_t q = 0; q < Q; ++q) {
          const WindowSpan rows = window_rows(a.window, p, a.src.height);
          const WindowSpan columns = window_columns(a.window, q, a.src.width);
          int64_t sum = 0;
          for (int64_t h = rows.begin; h < rows.end; ++h)
            for (int64_t w = columns.begin; w < columns.end; ++w) sum += a.src.code(n, h, w, c);
          const float area = float(rows.padded) * float(columns.padded);
          a.dst.image(n)[(c * P + p) * Q + q] =
              rows.empty() || columns.empty() ? 0.0f : float(sum) * step / area;
        }
}

namespace {

constexpr int64_t kChannels = 256;  // of one task

// Codes that the largest window has inside the image.
int64_t window_pixels(const AveragePoolingCodesArguments& a) {
  return std::min(a.window.kernel_h, a.src.height) * std::min(a.window.kernel_w, a.src.width);
}

template <const CodeKernels* (*kernels)()>
KernelRow<AveragePoolingCodesArguments> window_row(const char* name) {
  return {name,
          [](const AveragePoolingCodesArguments& a, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features) && window_pixels(a) < 1 << 16;
          },
          [](Context& context, const AveragePoolingCodesArguments& a) {
            const int64_t P = a.dst.legacy_dim(2), Q = a.dst.legacy_dim(3), C = a.src.channels;
            const int64_t parts = (C + kChannels - 1) / kChannels;
            const int64_t work = window_pixels(a) * std::min(C, kChannels);
            MeanWindow window{};
            window.type = a.src.type;
            window.row_stride = a.src.row_stride, window.pixel_stride = a.src.pixel_stride;
            window.step = power_of_two_float(-a.fractional_length);
            window.channel_stride = P * Q;
            context.pool.for_range(
                a.src.images * P * Q * parts, std::max<int64_t>(1, kCodeGrain / work),
                [&](int64_t begin, int64_t end, int) {
                  for (int64_t i = begin; i < end; ++i) {
                    const int64_t c = i % parts * kChannels, q = i / parts % Q, p = i / parts / Q % P,
                                  n = i / parts / Q / P;
                    const WindowSpan rows = window_rows(a.window, p, a.src.height);
                    const WindowSpan columns = window_columns(a.window, q, a.src.width);
                    MeanWindow m = window;
                    m.channels = std::min(kChannels, C - c);
                    m.dst = a.dst.image(n) + (c * P + p) * Q + q;
                    if (rows.empty() || columns.empty()) {
                      for (int64_t k = 0; k < m.channels; ++k) m.dst[k * P * Q] = 0.0f;
                      continue;
                    }
                    m.rows = rows.end - rows.begin, m.columns = columns.end - columns.begin;
                    m.src = a.src.pixel(n, rows.begin, columns.begin) + c * a.src.element_bytes();
                    m.area = float(rows.padded) * float(columns.padded);
                    kernels()->mean(m);
                  }
                });
          }};
}

}  // namespace

void AveragePoolingCodes::check(const Arguments& a) {
  check_code_tensor(a.src, "pooling", "input");
  require(a.dst.data != nullptr && a.dst.type == DataType::f32 && a.dst.rank >= 1 && a.dst.rank <= 4,
          "pooling: the output is not a float32 tensor of up to four axes");
  require(a.dst.dim[0] == a.src.images && a.dst.legacy_dim(1) == a.src.channels, "pooling: input of shape ",
          a.src.shape_text(), " (channels last), output of shape ", a.dst.shape_text());
  require_code_window(a.window, a.dst.legacy_dim(2), a.dst.legacy_dim(3));
  require_code_format({1, a.fractional_length}, 16, "pooling");
}

const std::vector<KernelRow<AveragePoolingCodesArguments>>& AveragePoolingCodes::rows() {
  static const std::vector<KernelRow<AveragePoolingCodesArguments>> rows = {
      window_row<code_kernels_avx512>("avx512"),
      window_row<code_kernels_avx2>("avx2"),
      window_row<code_kernels_portable>("portable"),
      {"ref", [](const AveragePoolingCodesArguments&, const CpuFeatures&) { return true; },
       average_pooling_codes_ref},
  };
  return rows;
}

void AveragePoolingCodes::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
