#include "convolution_depthwise.h"

#include <algorithm>

#include "../trim/trim.h"
#include "float_panels.h"
#include "staged_rows.h"

namespace ristretto {

namespace {

constexpr int64_t kMostStaged = int64_t{1} << 24;  // floats
constexpr int64_t kBlockPixels = 8192;       // of one task: what it stages and writes stays in the caches
constexpr int64_t kMostOutputsPerInput = 4;  // beyond, the matrix product uses each input better

int64_t lines_per_block(const ConvolutionArguments& a) {
  return std::clamp<int64_t>(kBlockPixels / a.dst.dim[3], 1, a.dst.dim[2]);
}

}  // namespace

bool convolution_depthwise_supports(const ConvolutionArguments& a) {
  if (a.weights.dim[1] != 1 || a.weights.dim[0] / a.group > kMostOutputsPerInput) return false;
  const StagedRows rows(a);
  return rows.size(rows.block(0, lines_per_block(a) * a.dst.dim[3]), 1, 16) <= kMostStaged;
}

void convolution_depthwise(Context& context, const ConvolutionArguments& a, const FloatKernels& kernels) {
  const int64_t K = a.dst.dim[1], Q = a.dst.dim[3], pixels = a.dst.dim[2] * Q, per_input = K / a.group;
  const int64_t taps = a.weights.count(2);
  const StagedRows rows(a);
  const Blocks blocks = cut(a.dst.dim[2], lines_per_block(a));
  // Trims that keep signs and 0 commute with the ReLU.
  const bool relu_first = a.dst_trim.kind != FormatKind::integer_power_of_two;

  context.pool.run(a.src.images() * a.group * blocks.count, [&](int64_t task, int worker) {
    const int64_t n = task / blocks.count / a.group, c = task / blocks.count % a.group,
                  part = task % blocks.count;
    const int64_t first = blocks.begin(part) * Q, count = blocks.length(part) * Q;
    const StagedRows::Block block = rows.block(first, count);
    const auto round = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
    const int64_t offsets_bytes = round(taps * sizeof(int64_t)),
                  line_bytes = round(rows.line_size() * sizeof(float));
    char* scratch = static_cast<char*>(context.scratch(
        worker, offsets_bytes + line_bytes + rows.size(block, 1, kernels.lanes) * sizeof(float)));
    int64_t* offsets = reinterpret_cast<int64_t*>(scratch);
    float* staged = reinterpret_cast<float*>(scratch + offsets_bytes + line_bytes);
    rows.stage(block, n, c, 1, context.features, reinterpret_cast<float*>(scratch + offsets_bytes), staged);
    rows.offsets(block, 1, offsets);
    for (int64_t k = c * per_input; k < (c + 1) * per_input; ++k) {
      float* dst = a.dst.image(n) + k * pixels + first;
      DepthwiseArguments d{};
      d.source = staged;
      d.source_stride = block.columns;
      d.offsets = offsets;
      d.weights = a.weights.f32() + k * taps;
      d.taps = taps;
      d.dst = dst;
      d.lines = blocks.length(part);
      d.columns = Q;
      d.bias = a.bias ? a.bias.f32()[k] : 0.0f;
      d.relu = a.relu && relu_first;
      kernels.depthwise(d);
      if (!a.dst_trim) continue;
      RandomStream random = a.dst_random;
      random.first_element += (n * K + k) * pixels + first;
      require(trim_span(dst, dst, count, a.dst_trim, random, context.features), "NaN in the layer's output");
      if (a.relu && !relu_first)
        for (int64_t i = 0; i < count; ++i) dst[i] = dst[i] < 0 ? 0 : dst[i];
    }
  });
}

}  // namespace ristretto
