// Weights and biases to codes: a thread for each element, by the definition, whose integers hold all 32 bits
// that a bias may have.
#include "core/op/codes/quantise_tensor.h"

#include <algorithm>

#include "core/format/dynamic_fixed_point.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/spans.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

template <class Code>
RISTRETTO_KERNEL(kThreads, 4)
quantise_elements(const float* src, Code* dst, Spans spans, DynamicFixedPoint format, NanReport report) {
  for (int64_t image = block_index(1); image < spans.images; image += blocks(1))
    for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < spans.count;
         i += int64_t{kThreads} * blocks()) {
      const float x = src[image * spans.src_stride + i];
      const bool nan = is_nan_bits(bits_of(x));
      if (nan) report.tell(Fault::nan_to_code);
      dst[image * spans.dst_stride + i] = nan ? Code(0) : Code(dynamic_fixed_point_code(x, format, 0));
    }
}

}  // namespace

bool run(Context& context, const QuantiseTensorArguments& a) {
  const Spans spans = spans_of(a.src, a.dst);
  if (spans.images == 0 || spans.count == 0) return true;
  const DynamicFixedPoint format =
      dynamic_fixed_point(a.format.bit_width, a.format.fractional_length, a.rounding);
  Grid grid = span_grid(context, spans, kThreads);
  grid.y = std::min(grid.y, 65535);
  const auto start = [&](auto* dst, auto kernel) {
    launch(context, "quantise_tensor", grid, kThreads, 0, kernel, a.src.f32(), dst, spans, format,
           context.nan_report());
  };
  if (a.dst.type == DataType::i32)
    start(static_cast<int32_t*>(a.dst.data), quantise_elements<int32_t>);
  else if (a.dst.type == DataType::i16)
    start(static_cast<int16_t*>(a.dst.data), quantise_elements<int16_t>);
  else
    start(static_cast<int8_t*>(a.dst.data), quantise_elements<int8_t>);
  return true;
}

}  // namespace ristretto::cuda
