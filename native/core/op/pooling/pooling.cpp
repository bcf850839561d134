#include "pooling.h"

#include <algorithm>
#include <cfloat>

#include "../../cpu/pool_kernels.h"
#include "../check_tensor.h"
#include "sampled_window.h"

namespace ristretto {
namespace {

constexpr int64_t kMostParameter = int64_t{1} << 31;

int64_t planes(const PoolingArguments& a) { return a.src.dim[0] * a.src.dim[1]; }
const float* src_plane(const PoolingArguments& a, int64_t plane) {
  return a.src.image(plane / a.src.dim[1]) + plane % a.src.dim[1] * a.src.dim[2] * a.src.dim[3];
}
float* dst_plane(const Tensor& dst, int64_t plane) {
  return dst.image(plane / dst.dim[1]) + plane % dst.dim[1] * dst.dim[2] * dst.dim[3];
}

float maximum(const float* plane, int64_t width, WindowSpan h, WindowSpan w, float* mask) {
  float best = -FLT_MAX;
  int64_t at = -1;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x)
      if (plane[y * width + x] > best) best = plane[at = y * width + x];
  if (mask) *mask = float(at);
  return best;
}

float average(const float* plane, int64_t width, WindowSpan h, WindowSpan w) {
  float sum = 0;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x) sum += plane[y * width + x];
  return h.empty() || w.empty() ? 0.0f : sum / (float(h.padded) * float(w.padded));
}

float weighted(const float* plane, int64_t width, WindowSpan h, WindowSpan w) {
  float sum = 0, squares = 0;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x) {
      const float value = plane[y * width + x];
      sum += value;
      squares += value * value;
    }
  return sum > 0 ? squares / sum : 0.0f;
}

float sampled(const float* plane, int64_t width, WindowSpan h, WindowSpan w, uint32_t word) {
  const int64_t at = sampled_place(plane, width, h, w, word);
  return at < 0 ? 0.0f : plane[at];
}

// Elements of a padded row plus what a vector reads beyond its end.
int64_t row_length(const PoolingArguments& a) {
  const int64_t stride = a.dst.dim[3] == 1 ? 1 : a.stride_w;
  return a.pad_w + a.src.dim[3] + std::max<int64_t>(a.dst.dim[3], 16) * stride + a.kernel_w + 64;
}

template <const PoolKernels* (*kernels)()>
KernelRow<PoolingArguments> vector_row(const char* name) {
  return {name,
          [](const PoolingArguments& a, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features) && !a.mask &&
                   (a.kind == PoolingKind::max || a.kind == PoolingKind::average) && row_length(a) <= 1 << 17;
          },
          [](Context& context, const PoolingArguments& a) {
            const bool mean = a.kind == PoolingKind::average;
            const auto body = mean ? kernels()->average : kernels()->max;
            const int64_t length = row_length(a), Q = a.dst.dim[3];
            float* widths = static_cast<float*>(context.shared_scratch(size_t(Q + 1) * sizeof(float)));
            for (int64_t q = 0; q < Q; ++q) {
              const WindowSpan span = window_span(q, a.stride_w, a.pad_w, a.kernel_w, a.src.dim[3]);
              widths[q] = span.begin < span.end ? float(span.padded) : 0.0f;
            }
            context.pool.for_range(planes(a), 1, [&](int64_t begin, int64_t end, int worker) {
              float* rows =
                  static_cast<float*>(context.scratch(worker, size_t(kPoolRows * length) * sizeof(float)));
              std::fill(rows, rows + kPoolRows * length, mean ? 0.0f : -FLT_MAX);
              PoolPlane p;
              p.height = a.src.dim[2], p.width = a.src.dim[3], p.out_height = a.dst.dim[2], p.out_width = Q;
              p.kernel_h = a.kernel_h, p.kernel_w = a.kernel_w;
              p.stride_h = a.stride_h, p.stride_w = Q == 1 ? 1 : a.stride_w;
              p.pad_h = a.pad_h, p.pad_w = a.pad_w;
              p.rows = rows, p.row_length = length, p.widths = widths;
              for (int64_t plane = begin; plane < end; ++plane) {
                p.src = src_plane(a, plane);
                p.dst = dst_plane(a.dst, plane);
                body(p);
              }
            });
          }};
}

}  // namespace

void pooling_ref(Context&, const PoolingArguments& a) {
  const int64_t H = a.src.dim[2], W = a.src.dim[3], P = a.dst.dim[2], Q = a.dst.dim[3];
  for (int64_t plane = 0; plane < planes(a); ++plane) {
    const float* src = src_plane(a, plane);
    float* dst = dst_plane(a.dst, plane);
    float* mask = a.mask ? dst_plane(a.mask, plane) : nullptr;
    for (int64_t p = 0; p < P; ++p)
      for (int64_t q = 0; q < Q; ++q) {
        const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
        const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
        float& out = dst[p * Q + q];
        if (a.kind == PoolingKind::max)
          out = maximum(src, W, h, w, mask ? mask + p * Q + q : nullptr);
        else if (a.kind == PoolingKind::average)
          out = average(src, W, h, w);
        else if (a.kind == PoolingKind::weighted)
          out = weighted(src, W, h, w);
        else
          out = sampled(src, W, h, w,
                        random_word(a.random, a.random.first_element + uint64_t((plane * P + p) * Q + q)));
      }
  }
}

void Pooling::check(const Arguments& a) {
  require_float(a.src, "src");
  require_float(a.dst, "dst");
  require(a.src.rank == 4 && a.dst.rank == 4, "src ", a.src.shape_text(), " and dst ", a.dst.shape_text(),
          " must have four axes");
  require(a.src.dim[0] == a.dst.dim[0] && a.src.dim[1] == a.dst.dim[1], "src ", a.src.shape_text(),
          " and dst ", a.dst.shape_text(), " differ in images or channels");
  if (a.mask) {
    require_float(a.mask, "mask");
    require_same_shape(a.mask, "mask", a.dst, "dst");
    require(a.kind == PoolingKind::max, "only maximum pooling has a mask");
  }
  for (int64_t value : {a.kernel_h, a.kernel_w, a.stride_h, a.stride_w})
    require(value >= 1 && value < kMostParameter, value, " is not a kernel's or stride's length");
  require(a.pad_h >= 0 && a.pad_w >= 0 && a.pad_h < a.kernel_h && a.pad_w < a.kernel_w, "padding ", a.pad_h,
          " x ", a.pad_w, " must be less than the kernel ", a.kernel_h, " x ", a.kernel_w);
  require(a.src.data != a.dst.data, "pooling cannot run in place");
}

const std::vector<KernelRow<PoolingArguments>>& Pooling::rows() {
  static const std::vector<KernelRow<PoolingArguments>> rows = {
      vector_row<pool_kernels_avx512>("avx512"),
      vector_row<pool_kernels_avx2>("avx2"),
      vector_row<pool_kernels_portable>("portable"),
      {"ref", [](const PoolingArguments&, const CpuFeatures&) { return true; }, pooling_ref},
  };
  return rows;
}

void Pooling::run(Context& context, const Arguments& a) {
  if (a.dst.count() == 0) return;
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
