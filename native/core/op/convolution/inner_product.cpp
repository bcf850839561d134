#include "inner_product.h"

#include <algorithm>

#include "../trim/trim.h"
#include "float_panels.h"

namespace ristretto {

void InnerProduct::check(const Arguments& a) {
  for (const auto& [tensor, name] :
       {std::pair{&a.src, "input"}, {&a.weights, "weights"}, {&a.dst, "output"}}) {
    require(tensor->data != nullptr, "inner product: no ", name);
    require(tensor->type == DataType::f32, "inner product: ", name, " is not float32");
    require(tensor->rank >= 1, "inner product: ", name, " has no axes");
    for (int axis = 0; axis < tensor->rank; ++axis)
      require(tensor->dim[axis] >= 0, "inner product: ", name, " has shape ", tensor->shape_text());
  }
  const int64_t K = a.src.image_count(), N = a.dst.image_count();
  require(a.src.images() == a.dst.images(), "inner product: ", a.src.images(), " rows in, ", a.dst.images(),
          " out");
  require(a.weights.rank == 2 && a.weights.contiguous() && a.weights.dim[0] == (a.transpose ? K : N) &&
              a.weights.dim[1] == (a.transpose ? N : K),
          "inner product: ", a.transpose ? "transposed " : "", "weights ", a.weights.shape_text(), " for ", K,
          " inputs and ", N, " outputs");
  for (const Tensor* t : {&a.src, &a.dst})
    require(t->images() <= 1 || t->image_stride >= t->image_count(), "inner product: row stride ",
            t->image_stride, " is below a row's size ", t->image_count());
  if (a.bias)
    require(a.bias.type == DataType::f32 && a.bias.count() == N && a.bias.contiguous(),
            "inner product: bias ", a.bias.shape_text(), " for ", N, " outputs");
  check_trim_format(a.src_trim);
  check_trim_format(a.dst_trim);
}

namespace {

RandomStream at_element(RandomStream random, int64_t element) {
  random.first_element += element;
  return random;
}

// Bias, trim and ReLU of outputs [first, first + count) of row m.
void finish_row(const InnerProductArguments& a, int64_t m, int64_t first, int64_t count,
                const CpuFeatures& features) {
  float* row = a.dst.image(m) + first;
  if (a.bias) {
    const float* bias = a.bias.f32() + first;
    for (int64_t j = 0; j < count; ++j) row[j] += bias[j];
  }
  if (a.dst_trim) {
    require(trim_span(row, row, count, a.dst_trim, at_element(a.dst_random, m * a.dst.image_count() + first),
                      features),
            "NaN in the layer's output");
  }
  if (a.relu)
    for (int64_t j = 0; j < count; ++j) row[j] = row[j] < 0 ? 0 : row[j];
}

void trim_row(const InnerProductArguments& a, int64_t m, float* out, const CpuFeatures& features) {
  const int64_t K = a.src.image_count();
  require(trim_span(a.src.image(m), out, K, a.src_trim, at_element(a.src_random, m * K), features),
          "NaN in the layer's input");
}

}  // namespace

void inner_product_ref(Context& context, const InnerProductArguments& a) {
  const int64_t M = a.src.images(), K = a.src.image_count(), N = a.dst.image_count();
  std::vector<float> src(K);
  for (int64_t m = 0; m < M; ++m) {
    trim_row(a, m, src.data(), context.features);
    for (int64_t n = 0; n < N; ++n) {
      float sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += src[k] * a.weights.f32()[a.transpose ? k * N + n : n * K + k];
      a.dst.image(m)[n] = sum;
    }
    finish_row(a, m, 0, N, context.features);
  }
}

namespace {

// The weights as column panels: [depth block][panel of the outputs][depth in the block][width], zero beyond
// N.
void pack_columns(Context& context, const InnerProductArguments& a, const FloatKernels& kernels,
                  const Blocks& depth, float* out) {
  const int64_t K = a.src.image_count(), N = a.dst.image_count();
  const int64_t row_stride = a.transpose ? 1 : K, depth_stride = a.transpose ? N : 1;
  const int64_t padded = (N + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
  struct Panel {
    int64_t first, width, have;
  };
  std::vector<Panel> panels;
  for_each_panel(N, kernels.lanes, [&](int64_t first, int vectors, int64_t have) {
    panels.push_back({first, int64_t{vectors} * kernels.lanes, have});
  });
  context.pool.for_range(int64_t(panels.size()), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const Panel& panel = panels[i];
      for (int64_t block = 0; block < depth.count; ++block) {
        float* to = out + depth.begin(block) * padded + panel.first * depth.length(block);
        const float* from = a.weights.f32() + panel.first * row_stride + depth.begin(block) * depth_stride;
        for (int64_t k = 0; k < depth.length(block); ++k, to += panel.width, from += depth_stride) {
          for (int64_t j = 0; j < panel.have; ++j) to[j] = from[j * row_stride];
          std::fill(to + panel.have, to + panel.width, 0.0f);
        }
      }
    }
  });
}

const float* packed_columns(Context& context, const InnerProductArguments& a, const FloatKernels& kernels,
                            const Blocks& depth) {
  const int64_t padded = (a.dst.image_count() + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
  const int64_t bytes = padded * a.src.image_count() * sizeof(float);
  PackedWeights* kept = a.packed;
  if (!kept) {
    float* data = static_cast<float*>(context.shared_scratch(bytes, 1));
    pack_columns(context, a, kernels, depth, data);
    return data;
  }
  if (kept->packed_by != &kernels || kept->version != a.weights_version ||
      int64_t(kept->data.size()) != bytes) {
    kept->version = -1;  // until the packing has succeeded
    if (int64_t(kept->data.size()) != bytes) kept->data = AlignedBuffer(bytes);
    pack_columns(context, a, kernels, depth, static_cast<float*>(kept->data.data()));
    kept->packed_by = &kernels;
    kept->version = a.weights_version;
  }
  return static_cast<const float*>(kept->data.data());
}

void inner_product_panels(Context& context, const InnerProductArguments& a, const FloatKernels& kernels) {
  const int64_t M = a.src.images(), K = a.src.image_count(), N = a.dst.image_count();
  if (M == 0 || N == 0) return;
  const Blocks depth = cut_depth(K, kernels);
  const float* columns = packed_columns(context, a, kernels, depth);

  const int64_t trimmed_count = a.src_trim ? M * K : 0;
  float* shared = static_cast<float*>(
      context.shared_scratch((trimmed_count + packed_rows_count(M, K, kernels)) * sizeof(float)));
  const float* src = a.src.f32();
  int64_t src_stride = a.src.image_stride;
  if (a.src_trim) {
    context.pool.for_range(M, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t m = begin; m < end; ++m) trim_row(a, m, shared + m * K, context.features);
    });
    src = shared;
    src_stride = K;
  }
  const PackedRows rows = pack_rows(context, kernels, src, src_stride, 1, M, K, 1.0f, shared + trimmed_count);

  // One task: some panels of outputs, whole panels so that the packed weights can be found, times all rows.
  const int64_t vectors = (N + kernels.lanes - 1) / kernels.lanes, padded = vectors * kernels.lanes;
  const int64_t panels = (vectors + FloatKernels::kMaxVectors - 1) / FloatKernels::kMaxVectors;
  const int64_t threads = context.pool.threads(), tasks = std::min(panels, threads == 1 ? 1 : threads * 4);
  const int64_t slab = rows_per_slab(depth.size, kernels);
  context.pool.run(tasks, [&](int64_t task, int) {
    const int64_t first_panel = panels * task / tasks, end_panel = panels * (task + 1) / tasks;
    int64_t index = 0, first = N, end = N;
    for_each_panel(N, kernels.lanes, [&](int64_t column, int, int64_t have) {
      if (index == first_panel) first = column;
      if (++index == end_panel) end = column + have;
    });
    for (int64_t block = 0; block < depth.count; ++block) {
      for (int64_t row = 0; row < M; row += slab) {
        PanelArguments p{};
        p.depth = depth.length(block);
        p.a = rows.at(block, row / kernels.rows, kernels);
        p.rows = std::min(slab, M - row);
        p.c_stride = a.dst.image_stride;
        p.accumulate = block > 0;
        for_each_panel(N, kernels.lanes, [&](int64_t column, int width, int64_t have) {
          if (column < first || column >= end) return;
          p.b = columns + depth.begin(block) * padded + column * p.depth;
          p.b_stride = int64_t{width} * kernels.lanes;
          p.c = a.dst.image(row) + column;
          p.columns = have;
          kernels.panel[width - 1](p);
        });
      }
    }
    for (int64_t m = 0; m < M; ++m) finish_row(a, m, first, end - first, context.features);
  });
}

template <const FloatKernels* (*Kernels)()>
KernelRow<InnerProductArguments> panel_row(const char* name) {
  return {
      name,
      [](const InnerProductArguments&, const CpuFeatures& features) {
        return Kernels() && Kernels()->available(features);
      },
      [](Context& context, const InnerProductArguments& a) { inner_product_panels(context, a, *Kernels()); }};
}

}  // namespace

const std::vector<KernelRow<InnerProductArguments>>& InnerProduct::rows() {
  static const std::vector<KernelRow<InnerProductArguments>> table = {
      panel_row<float_kernels_avx512>("avx512"),
      panel_row<float_kernels_avx2>("avx2"),
      panel_row<float_kernels_portable>("portable"),
      {"ref", [](const InnerProductArguments&, const CpuFeatures&) { return true; }, inner_product_ref},
  };
  return table;
}

void InnerProduct::run(Context& context, const Arguments& arguments) {
  check(arguments);
  select_kernel(rows(), arguments, context.features).run(context, arguments);
}

}  // namespace ristretto
