#include "deconvolution.h"

#include <algorithm>
#include <vector>

#include "../check_tensor.h"
#include "../trim/trim.h"
#include "col2im.h"
#include "gemm.h"

namespace ristretto {
namespace {

// Far above any net's, low enough that products of them with a tensor's sizes stay in 64 bits.
constexpr int64_t kMostParameter = int64_t{1} << 20;
// Floats of the product that waits to be added into the image; more outputs than fit come in chunks.
constexpr int64_t kMostColumns = int64_t{1} << 24;

int64_t taps(const DeconvolutionArguments& a) { return a.weights.dim[2] * a.weights.dim[3]; }
int64_t src_plane(const DeconvolutionArguments& a) { return a.src.dim[2] * a.src.dim[3]; }
int64_t dst_plane(const DeconvolutionArguments& a) { return a.dst.dim[2] * a.dst.dim[3]; }

RandomStream at_image(RandomStream random, int64_t n, int64_t image) {
  random.first_element += uint64_t(n * image);
  return random;
}

// Image n as the sums read it: trimmed into `copy`, or in its place.
const float* source(const Context& context, const DeconvolutionArguments& a, int64_t n, float* copy) {
  if (!a.src_trim) return a.src.image(n);
  require(trim_span(a.src.image(n), copy, a.src.image_count(), a.src_trim,
                    at_image(a.src_random, n, a.src.image_count()), context.features),
          "NaN in the layer's input");
  return copy;
}

void finish(const Context& context, const DeconvolutionArguments& a, int64_t n, int64_t first,
            int64_t count) {
  float* dst = a.dst.image(n) + first;
  RandomStream random = at_image(a.dst_random, n, a.dst.image_count());
  random.first_element += uint64_t(first);
  if (a.dst_trim)
    require(trim_span(dst, dst, count, a.dst_trim, random, context.features), "NaN in the layer's output");
  if (a.relu)
    for (int64_t i = 0; i < count; ++i) dst[i] = dst[i] < 0 ? 0.0f : dst[i];
}

// One product per image and group, weights transposed, then the columns are added into the image.
void by_gemm(Context& context, const DeconvolutionArguments& a) {
  const int64_t C = a.src.dim[1], K = a.dst.dim[1], group_c = C / a.group, group_k = K / a.group;
  const int64_t depth = src_plane(a), per_output = taps(a) * depth;
  const int64_t chunk = std::clamp<int64_t>(kMostColumns / per_output, 1, group_k);
  const int64_t image = a.src_trim ? a.src.image_count() : 0;
  const WindowGrid windows{a.dst.dim[2],     a.dst.dim[3],     a.src.dim[2], a.src.dim[3],
                           a.weights.dim[2], a.weights.dim[3], a.stride_h,   a.stride_w,
                           a.pad_h,          a.pad_w,          a.dilation_h, a.dilation_w};
  float* columns =
      static_cast<float*>(context.shared_scratch(size_t(chunk * per_output + image) * sizeof(float)));
  for (int64_t n = 0; n < a.src.images(); ++n) {
    const float* src = source(context, a, n, columns + chunk * per_output);
    for (int64_t group = 0; group < a.group; ++group)
      for (int64_t first = 0; first < group_k; first += chunk) {
        const int64_t outputs = std::min(chunk, group_k - first);
        GemmArguments gemm;
        gemm.transpose_a = true;
        gemm.m = outputs * taps(a), gemm.n = depth, gemm.k = group_c;
        gemm.a = a.weights.f32() + (group * group_c * group_k + first) * taps(a);
        gemm.lda = group_k * taps(a);
        gemm.b = src + group * group_c * depth;
        gemm.ldb = depth;
        gemm.c = columns;
        gemm.ldc = depth;
        Gemm::run(context, gemm);
        context.pool.run(outputs, [&](int64_t output, int) {
          const int64_t k = group * group_k + first + output, plane = dst_plane(a);
          float* dst = a.dst.image(n) + k * plane;
          std::fill(dst, dst + plane, 0.0f);
          add_windows(windows, columns + output * per_output, dst);
          if (a.bias)
            for (int64_t i = 0; i < plane; ++i) dst[i] += a.bias.f32()[k];
          finish(context, a, n, k * plane, plane);
        });
      }
  }
}

void check_axis(const char* name, int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                int64_t out) {
  require(stride >= 1 && stride <= kMostParameter, "stride ", stride, " along ", name);
  require(dilation >= 1 && dilation <= kMostParameter, "dilation ", dilation, " along ", name);
  require(pad >= 0 && pad <= kMostParameter, "padding ", pad, " along ", name);
  const int64_t expected = stride * (size - 1) + dilation * (kernel - 1) + 1 - 2 * pad;
  require(out == expected, "the output has ", out, " along ", name, ", not ", expected);
}

}  // namespace

void deconvolution_ref(Context& context, const DeconvolutionArguments& a) {
  const int64_t C = a.src.dim[1], P = a.src.dim[2], Q = a.src.dim[3];
  const int64_t K = a.dst.dim[1], H = a.dst.dim[2], W = a.dst.dim[3];
  const int64_t R = a.weights.dim[2], S = a.weights.dim[3], group_c = C / a.group, group_k = K / a.group;
  std::vector<float> copy(a.src_trim ? size_t(a.src.image_count()) : 0);
  for (int64_t n = 0; n < a.src.images(); ++n) {
    const float* src = source(context, a, n, copy.data());
    float* dst = a.dst.image(n);
    for (int64_t k = 0; k < K; ++k) {
      float* plane = dst + k * H * W;
      std::fill(plane, plane + H * W, 0.0f);
      for (int64_t c = k / group_k * group_c; c < (k / group_k + 1) * group_c; ++c)
        for (int64_t p = 0; p < P; ++p)
          for (int64_t q = 0; q < Q; ++q)
            for (int64_t r = 0; r < R; ++r)
              for (int64_t s = 0; s < S; ++s) {
                const int64_t y = p * a.stride_h - a.pad_h + r * a.dilation_h;
                const int64_t x = q * a.stride_w - a.pad_w + s * a.dilation_w;
                if (y < 0 || y >= H || x < 0 || x >= W) continue;
                plane[y * W + x] +=
                    src[(c * P + p) * Q + q] * a.weights.f32()[((c * group_k + k % group_k) * R + r) * S + s];
              }
      if (a.bias)
        for (int64_t i = 0; i < H * W; ++i) plane[i] += a.bias.f32()[k];
    }
    finish(context, a, n, 0, a.dst.image_count());
  }
}

void Deconvolution::check(const Arguments& a) {
  check_trim_format(a.src_trim);
  check_trim_format(a.dst_trim);
  require_float(a.src, "src");
  require_contiguous(a.weights, "weights");
  require_float(a.dst, "dst");
  require(a.src.rank == 4 && a.weights.rank == 4 && a.dst.rank == 4, "src ", a.src.shape_text(), ", weights ",
          a.weights.shape_text(), " and dst ", a.dst.shape_text(), " must have four axes");
  const int64_t C = a.src.dim[1], K = a.dst.dim[1];
  require(a.group >= 1 && C % a.group == 0 && K % a.group == 0, a.group, " groups do not divide ", C,
          " input and ", K, " output channels");
  require(a.weights.dim[0] == C && a.weights.dim[1] == K / a.group, "weights ", a.weights.shape_text(),
          " for ", C, " input and ", K, " output channels in ", a.group, " groups");
  require(a.src.dim[0] == a.dst.dim[0], a.src.dim[0], " images in, ", a.dst.dim[0], " out");
  if (a.bias) {
    require_contiguous(a.bias, "bias");
    require(a.bias.count() == K, "bias ", a.bias.shape_text(), " for ", K, " output channels");
  }
  check_axis("height", a.src.dim[2], a.weights.dim[2], a.stride_h, a.pad_h, a.dilation_h, a.dst.dim[2]);
  check_axis("width", a.src.dim[3], a.weights.dim[3], a.stride_w, a.pad_w, a.dilation_w, a.dst.dim[3]);
}

const std::vector<KernelRow<DeconvolutionArguments>>& Deconvolution::rows() {
  static const std::vector<KernelRow<DeconvolutionArguments>> rows = {
      {"gemm",
       [](const DeconvolutionArguments& a, const CpuFeatures&) {
         return taps(a) * src_plane(a) <= kMostColumns;
       },
       by_gemm},
      {"ref", [](const DeconvolutionArguments&, const CpuFeatures&) { return true; }, deconvolution_ref},
  };
  return rows;
}

void Deconvolution::run(Context& context, const Arguments& a) {
  if (a.dst.count() == 0 || a.src.count() == 0) return;
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
