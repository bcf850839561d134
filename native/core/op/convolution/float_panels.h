// What float32 products share above the register tile: how depth and columns are cut, and the packed row
// operand.
#pragma once

#include <cstdint>

#include "../../context.h"
#include "../../cpu/float_kernels.h"

namespace ristretto {

// A range cut into `count` parts of `size` (the last may be shorter).
struct Blocks {
  int64_t total, count, size;
  int64_t begin(int64_t block) const { return block * size; }
  int64_t length(int64_t block) const { return block + 1 < count ? size : total - block * size; }
};

// The fewest nearly equal parts of at most `most` elements; one part of nothing where total is 0.
Blocks cut(int64_t total, int64_t most);

// Parts of the depth such that a column panel of full width and its row panels stay in the first-level cache.
// Depends on the depth and the kernels alone, so that sums do not depend on anything else.
Blocks cut_depth(int64_t depth, const FloatKernels& kernels);

// Rows (a channel block of the weights) whose packed panels of one depth block fill half the second-level
// cache.
int64_t rows_per_slab(int64_t depth_block, const FloatKernels& kernels);

// The row operand, packed as [depth block][row panel][depth in the block][kernels.rows], zero beyond the last
// row.
struct PackedRows {
  int64_t rows, panels;
  Blocks depth;
  const float* data;

  // Panels from row panel `panel` on, of one depth block.
  const float* at(int64_t block, int64_t panel, const FloatKernels& kernels) const {
    return data + (depth.begin(block) * panels + panel * depth.length(block)) * kernels.rows;
  }
};

// Floats that rows x depth take when packed.
int64_t packed_rows_count(int64_t rows, int64_t depth, const FloatKernels& kernels);

// The view of what pack_rows wrote to `data` before.
PackedRows packed_rows_at(const FloatKernels& kernels, int64_t rows, int64_t depth, const float* data);

// Packs element (row, k) from a[row * row_stride + k * depth_stride] times `factor`, on all of the context's
// threads.
PackedRows pack_rows(Context& context, const FloatKernels& kernels, const float* a, int64_t row_stride,
                     int64_t depth_stride, int64_t rows, int64_t depth, float factor, float* out);

// The same for row panels [begin, end), on the calling thread.
void pack_row_panels(const FloatKernels& kernels, const float* a, int64_t row_stride, int64_t depth_stride,
                     const PackedRows& shape, int64_t begin, int64_t end, float factor, float* out);

// Columns cut into panels of 1 to kMaxVectors vectors of nearly equal width: calls body(first column,
// vectors, columns written) for each. A panel of one vector only appears where there is but one.
template <class Body>
void for_each_panel(int64_t columns, int lanes, const Body& body) {
  const int64_t vectors = (columns + lanes - 1) / lanes;
  const int64_t panels = (vectors + FloatKernels::kMaxVectors - 1) / FloatKernels::kMaxVectors;
  for (int64_t panel = 0; panel < panels; ++panel) {
    const int64_t begin = vectors * panel / panels, end = vectors * (panel + 1) / panels;
    const int64_t last = end * lanes < columns ? end * lanes : columns;
    body(begin * lanes, int(end - begin), last - begin * lanes);
  }
}

}  // namespace ristretto
