#include "check_codes.h"
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
      {"ref", [](const AveragePoolingCodesArguments&, const CpuFeatures&) { return true; },
       average_pooling_codes_ref},
  };
  return rows;
}

void AveragePoolingCodes::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
