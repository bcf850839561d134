#include "requantise.h"

#include "check_codes.h"

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
      {"ref", [](const RequantiseArguments&, const CpuFeatures&) { return true; }, requantise_ref},
  };
  return rows;
}

void RequantiseCodes::run(Context& context, const Arguments& a) {
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
