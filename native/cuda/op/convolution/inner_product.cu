// Fully connected layers and their gradients: the plain case of a product over windows, a window of one
// element. Rows are the batch's, columns the outputs; a layer of few outputs has its inputs cut into parts,
// by its own sizes and not by the batch's.
#include "core/op/convolution/inner_product.h"

#include "core/op/convolution/inner_product_gradient.h"
#include "cuda/convolve.h"
#include "cuda/ops.h"
#include "cuda/parts.h"
#include "cuda/window_product.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

// One operand: from one row (or column) to the next, and from one depth to the next. Lanes run along
// neighbours in memory.
struct Side {
  const float* data;
  int64_t apart, depth;
  Lanes lanes() const { return depth == 1 ? Lanes::depths : Lanes::rows; }
  Side turned() const { return {data, depth, apart}; }
};
Side rows_of(const Tensor& t) { return {t.f32(), row_stride(t), 1}; }
// A weight matrix with an output's weights as rows.
Side outputs_of(const Tensor& weights, bool transpose) {
  const Side side{weights.f32(), weights.dim[1], 1};
  return transpose ? side.turned() : side;
}

// Up to how many rows of a product have their parts' sums in scratch memory at once.
int64_t rows_at_once(int64_t rows, int64_t columns, const Parts& parts) {
  constexpr int64_t kMostSums = int64_t{1} << 25;
  return std::min(rows, std::max<int64_t>(1, kMostSums / (columns * parts.count)));
}
size_t sums_count(int64_t rows, int64_t columns, const Parts& parts) {
  return parts.count == 1 ? 0 : size_t(rows_at_once(rows, columns, parts) * columns * parts.count);
}

struct PlainProduct {
  int64_t rows, columns, depths;
  Side a, b;
  Sink sink = {};
  Parts parts = {};
};

void launch_plain(Context& context, const char* name, const PlainProduct& plain, float* sums) {
  WindowProduct p;
  p.a_row = int(plain.a.apart), p.a_channel = int(plain.a.depth);
  p.b_data = plain.b.data;
  p.b_image = int(plain.b.apart), p.b_channel = int(plain.b.depth);
  p.column_count = int(plain.columns);
  p.depth_count = int(plain.depths);
  p.depth_part = plain.parts.depths;
  p.out_image = 1;
  p.element_image = 1;
  const bool cut = plain.parts.count > 1;
  const int64_t most = cut ? rows_at_once(plain.rows, plain.columns, plain.parts)
                           : std::min(plain.rows, kMostOffset / std::max(plain.a.apart, int64_t{1}));
  for (int64_t first = 0; first < plain.rows; first += most) {
    p.row_count = int(std::min(most, plain.rows - first));
    p.a_data = plain.a.data + first * plain.a.apart;
    Sink sink = plain.sink;
    sink.data += first * sink.row;
    sink.trim.random.first_element += uint64_t(first * sink.element_row);
    p.out = sink;
    if (cut) {
      p.out = {sums, int(plain.columns)};
      p.sink_part = p.row_count * plain.columns;
    }
    launch_product(context, name, plain.a.lanes(), plain.b.lanes(), p, plain.parts.count);
    if (cut) launch_parts(context, {sums, plain.parts.count, p.sink_part, unsigned(plain.columns), sink});
  }
}

struct ColumnsJob {
  const float* src;
  float* sums;
  int64_t stride;
  int rows, columns;
};

// In the order of the rows, from what is there on.
RISTRETTO_KERNEL(kThreads, 8)
add_column_sums(ColumnsJob job) {
  const int n = block_index() * kThreads + thread_index();
  if (n >= job.columns) return;
  float sum = job.sums[n];
#pragma unroll 4
  for (int m = 0; m < job.rows; ++m) sum += job.src[m * job.stride + n];
  job.sums[n] = sum;
}

bool sizes_fit(const Tensor& src, const Tensor& dst, const Tensor& weights) {
  const int64_t M = src.images();
  return std::max(row_stride(src), row_stride(dst)) < kMostOffset / std::max<int64_t>(M, 1) &&
         weights.count() < kMostOffset && weights.dim[0] <= kMostRows && M <= kMostRows;
}

}  // namespace

bool run(Context& context, const InnerProductArguments& a) {
  const int64_t M = a.src.images(), K = a.src.image_count(), N = a.dst.image_count();
  if (M == 0 || N == 0) return true;
  if (!sizes_fit(a.src, a.dst, a.weights)) return false;
  PlainProduct p{M, N, K, rows_of(a.src), outputs_of(a.weights, a.transpose)};
  p.parts = cut_depths(1, N, 1, K);
  const size_t trimmed = a.src_trim ? size_t(M * K) : 0, sums = sums_count(M, N, p.parts);
  float* scratch = nullptr;
  if (trimmed + sums) scratch = static_cast<float*>(context.scratch((trimmed + sums) * sizeof(float)));
  if (trimmed) {
    TrimArguments trim;
    trim.src = trim.dst = a.src;
    trim.dst.data = scratch;
    trim.dst.image_stride = K;
    trim.format = a.src_trim;
    trim.random = a.src_random;
    run(context, trim);
    p.a = {scratch, K, 1};
  }
  p.sink.data = a.dst.f32();
  p.sink.row = int(row_stride(a.dst));
  p.sink.bias = a.bias ? a.bias.f32() : nullptr;
  p.sink.bias_of_column = true;
  p.sink.relu = a.relu;
  p.sink.trim = {a.dst_trim, a.dst_random, context.nan_report()};
  p.sink.element_row = N;
  launch_plain(context, "inner_product", p, scratch + trimmed);
  return true;
}

bool run(Context& context, const InnerProductGradientArguments& a) {
  const int64_t M = a.src.images(), K = a.src.image_count(), N = a.dst_diff.image_count();
  if (M == 0 || N == 0) return true;
  if (!sizes_fit(a.src, a.dst_diff, a.weights)) return false;
  const Tensor &rows = a.transpose ? a.src : a.dst_diff, &columns = a.transpose ? a.dst_diff : a.src;
  PlainProduct weights{a.weights.dim[0], a.weights.dim[1], M, rows_of(rows).turned(),
                       rows_of(columns).turned()};
  PlainProduct data{M, K, N, rows_of(a.dst_diff), outputs_of(a.weights, a.transpose).turned()};
  if (K > 0) {
    weights.parts = cut_depths(weights.rows, weights.columns, 1, M);
    data.parts = cut_depths(1, K, 1, N);
  }
  const size_t sums =
      std::max(a.weights_diff && K ? sums_count(weights.rows, weights.columns, weights.parts) : 0,
               a.src_diff && K ? sums_count(M, K, data.parts) : 0);
  float* scratch = sums ? static_cast<float*>(context.scratch(sums * sizeof(float))) : nullptr;
  if (a.src_diff && K > 0) {
    data.sink.data = a.src_diff.f32();
    data.sink.row = int(row_stride(a.src_diff));
    launch_plain(context, "inner_product_data_gradient", data, scratch);
  }
  if (a.weights_diff && K > 0) {
    weights.sink.data = a.weights_diff.f32();
    weights.sink.row = int(a.weights.dim[1]);
    weights.sink.accumulate = true;
    launch_plain(context, "inner_product_weights_gradient", weights, scratch);
  }
  if (a.bias_diff) {
    const ColumnsJob job{a.dst_diff.f32(), a.bias_diff.f32(), row_stride(a.dst_diff), int(M), int(N)};
    launch(context, "add_column_sums", {int((N + kThreads - 1) / kThreads), 1, 1}, kThreads, 0,
           add_column_sums, job);
  }
  return true;
}

}  // namespace ristretto::cuda
