#include "float_panels.h"

#include <algorithm>

namespace ristretto {

Blocks cut(int64_t total, int64_t most) {
  most = std::max<int64_t>(1, most);
  const int64_t count = std::max<int64_t>(1, (total + most - 1) / most);
  const int64_t size = (total + count - 1) / count;
  return {total, size > 0 ? std::max<int64_t>(1, (total + size - 1) / size) : 1, size};
}

Blocks cut_depth(int64_t depth, const FloatKernels& kernels) {
  // A column panel, and two row panels (the one in use and the one that follows).
  const int64_t per_step = 4 * (FloatKernels::kMaxVectors * kernels.lanes + 2 * kernels.rows);
  return cut(depth, kernels.l1_bytes * 4 / 5 / per_step);
}

int64_t rows_per_slab(int64_t depth_block, const FloatKernels& kernels) {
  const int64_t panel_bytes = std::max<int64_t>(1, depth_block) * kernels.rows * 4;
  return std::max<int64_t>(1, kernels.l2_bytes / 2 / panel_bytes) * kernels.rows;
}

int64_t packed_rows_count(int64_t rows, int64_t depth, const FloatKernels& kernels) {
  return (rows + kernels.rows - 1) / kernels.rows * kernels.rows * depth;
}

PackedRows packed_rows_at(const FloatKernels& kernels, int64_t rows, int64_t depth, const float* data) {
  return {rows, (rows + kernels.rows - 1) / kernels.rows, cut_depth(depth, kernels), data};
}

void pack_row_panels(const FloatKernels& kernels, const float* a, int64_t row_stride, int64_t depth_stride,
                     const PackedRows& shape, int64_t begin, int64_t end, float factor, float* out) {
  const int tile = kernels.rows;
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t first = panel * tile, have = std::min<int64_t>(tile, shape.rows - first);
    for (int64_t block = 0; block < shape.depth.count; ++block) {
      float* to = out + (shape.depth.begin(block) * shape.panels + panel * shape.depth.length(block)) * tile;
      const float* from = a + first * row_stride + shape.depth.begin(block) * depth_stride;
      for (int64_t k = 0; k < shape.depth.length(block); ++k, to += tile, from += depth_stride) {
        int i = 0;
        for (; i < have; ++i) to[i] = factor == 1.0f ? from[i * row_stride] : factor * from[i * row_stride];
        for (; i < tile; ++i) to[i] = 0.0f;
      }
    }
  }
}

PackedRows pack_rows(Context& context, const FloatKernels& kernels, const float* a, int64_t row_stride,
                     int64_t depth_stride, int64_t rows, int64_t depth, float factor, float* out) {
  const PackedRows packed = packed_rows_at(kernels, rows, depth, out);
  if (rows == 0 || depth == 0) return packed;
  const int64_t grain = std::max<int64_t>(1, 65536 / (depth * kernels.rows));
  context.pool.for_range(packed.panels, grain, [&](int64_t begin, int64_t end, int) {
    pack_row_panels(kernels, a, row_stride, depth_stride, packed, begin, end, factor, out);
  });
  return packed;
}

}  // namespace ristretto
