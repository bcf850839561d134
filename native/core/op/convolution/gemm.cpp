#include "gemm.h"

#include <algorithm>

#include "float_panels.h"

namespace ristretto {

void Gemm::check(const Arguments& g) {
  require(g.m >= 0 && g.n >= 0 && g.k >= 0, "gemm: negative size ", g.m, " x ", g.n, " x ", g.k);
  require(g.lda >= (g.transpose_a ? g.m : g.k), "gemm: lda ", g.lda, " is shorter than a row of A");
  require(g.ldb >= (g.transpose_b ? g.k : g.n), "gemm: ldb ", g.ldb, " is shorter than a row of B");
  require(g.ldc >= g.n, "gemm: ldc ", g.ldc, " is shorter than a row of C (", g.n, ")");
}

void gemm_ref(Context&, const GemmArguments& g) {
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t j = 0; j < g.n; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < g.k; ++k) {
        const float a = g.transpose_a ? g.a[k * g.lda + i] : g.a[i * g.lda + k];
        const float b = g.transpose_b ? g.b[j * g.ldb + k] : g.b[k * g.ldb + j];
        sum += a * b;
      }
      float& c = g.c[i * g.ldc + j];
      c = g.beta == 0 ? g.alpha * sum : g.alpha * sum + g.beta * c;
    }
  }
}

namespace {

// Columns [first, first + columns) of op(B), rows [k0, k0 + depth), into panels that follow each other.
void pack_columns(const GemmArguments& g, const FloatKernels& kernels, int64_t k0, int64_t depth,
                  int64_t first, int64_t columns, float* out) {
  for_each_panel(columns, kernels.lanes, [&](int64_t column, int vectors, int64_t have) {
    const int64_t width = int64_t{vectors} * kernels.lanes;
    float* panel = out + column * depth;
    if (g.transpose_b) {
      for (int64_t j = 0; j < width; ++j) {
        const float* row = g.b + (first + column + j) * g.ldb + k0;
        for (int64_t k = 0; k < depth; ++k) panel[k * width + j] = j < have ? row[k] : 0.0f;
      }
    } else {
      for (int64_t k = 0; k < depth; ++k) {
        const float* row = g.b + (k0 + k) * g.ldb + first + column;
        float* to = panel + k * width;
        std::copy_n(row, have, to);
        std::fill(to + have, to + width, 0.0f);
      }
    }
  });
}

void gemm_panels(Context& context, const GemmArguments& g, const FloatKernels& kernels) {
  if (g.m == 0 || g.n == 0) return;
  if (g.beta != 0 && g.beta != 1) {
    context.pool.for_range(g.m, std::max<int64_t>(1, 16384 / g.n), [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t j = 0; j < g.n; ++j) g.c[i * g.ldc + j] *= g.beta;
    });
  }
  float* packed_a =
      static_cast<float*>(context.shared_scratch(packed_rows_count(g.m, g.k, kernels) * sizeof(float), 1));
  const PackedRows a = pack_rows(context, kernels, g.a, g.transpose_a ? 1 : g.lda, g.transpose_a ? g.lda : 1,
                                 g.m, g.k, g.alpha, packed_a);

  // Column blocks whose packed panels fill a quarter of the second-level cache; fewer columns and, where
  // there are too few of those, row blocks too, to give every thread work.
  const int64_t step = kernels.lanes * FloatKernels::kMaxVectors, threads = context.pool.threads();
  const int64_t vectors = (g.n + kernels.lanes - 1) / kernels.lanes;
  int64_t most = std::max<int64_t>(1, kernels.l2_bytes / 16 / std::max<int64_t>(1, a.depth.size) / step) *
                 step / kernels.lanes;
  most = std::min(most, std::max<int64_t>(FloatKernels::kMaxVectors, (vectors + threads - 1) / threads));
  const Blocks column_blocks = cut(vectors, most);
  const int64_t row_parts = std::max<int64_t>(
      1, std::min<int64_t>(a.panels / 8,
                           column_blocks.count >= threads ? 1 : 2 * threads / column_blocks.count));
  const Blocks row_blocks = cut(a.panels, (a.panels + row_parts - 1) / row_parts);
  const int64_t slab = rows_per_slab(a.depth.size, kernels);

  context.pool.run(column_blocks.count * row_blocks.count, [&](int64_t task, int worker) {
    const int64_t column_block = task / row_blocks.count, row_block = task % row_blocks.count;
    const int64_t first = column_blocks.begin(column_block) * kernels.lanes;
    const int64_t columns = std::min(g.n - first, column_blocks.length(column_block) * kernels.lanes);
    const int64_t row_begin = row_blocks.begin(row_block) * kernels.rows;
    const int64_t row_end = std::min(g.m, row_begin + row_blocks.length(row_block) * kernels.rows);
    float* packed_b = static_cast<float*>(
        context.scratch(worker, (columns + step) * std::max<int64_t>(1, a.depth.size) * sizeof(float)));
    for (int64_t block = 0; block < a.depth.count; ++block) {
      const int64_t depth = a.depth.length(block);
      pack_columns(g, kernels, a.depth.begin(block), depth, first, columns, packed_b);
      for (int64_t row = row_begin; row < row_end; row += slab) {
        PanelArguments p{};
        p.depth = depth;
        p.a = a.at(block, row / kernels.rows, kernels);
        p.rows = std::min(slab, row_end - row);
        p.c_stride = g.ldc;
        p.accumulate = block > 0 || g.beta != 0;
        for_each_panel(columns, kernels.lanes, [&](int64_t column, int width, int64_t have) {
          p.b = packed_b + column * depth;
          p.b_stride = width * kernels.lanes;
          p.c = g.c + row * g.ldc + first + column;
          p.columns = have;
          kernels.panel[width - 1](p);
        });
      }
    }
  });
}

template <const FloatKernels* (*Kernels)()>
KernelRow<GemmArguments> panel_row(const char* name) {
  return {name,
          [](const GemmArguments&, const CpuFeatures& features) {
            return Kernels() && Kernels()->available(features);
          },
          [](Context& context, const GemmArguments& g) { gemm_panels(context, g, *Kernels()); }};
}

}  // namespace

const std::vector<KernelRow<GemmArguments>>& Gemm::rows() {
  static const std::vector<KernelRow<GemmArguments>> table = {
      panel_row<float_kernels_avx512>("avx512"),
      panel_row<float_kernels_avx2>("avx2"),
      panel_row<float_kernels_portable>("portable"),
      {"ref", [](const GemmArguments&, const CpuFeatures&) { return true; }, gemm_ref},
  };
  return table;
}

void Gemm::run(Context& context, const Arguments& arguments) {
  check(arguments);
  select_kernel(rows(), arguments, context.features).run(context, arguments);
}

}  // namespace ristretto
