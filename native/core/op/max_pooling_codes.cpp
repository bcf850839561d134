#include "check_codes.h"
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
      {"ref", [](const MaxPoolingCodesArguments&, const CpuFeatures&) { return true; },
       max_pooling_codes_ref},
  };
  return rows;
}

void MaxPoolingCodes::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
