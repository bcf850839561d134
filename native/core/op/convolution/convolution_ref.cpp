#include <vector>

#include "../trim/trim.h"
#include "convolution.h"

namespace ristretto {

void convolution_ref(Context& context, const ConvolutionArguments& a) {
  const int64_t C = a.src.dim[1], H = a.src.dim[2], W = a.src.dim[3];
  const int64_t K = a.dst.dim[1], P = a.dst.dim[2], Q = a.dst.dim[3];
  const int64_t group_c = a.weights.dim[1], R = a.weights.dim[2], S = a.weights.dim[3], group_k = K / a.group;
  std::vector<float> src(C * H * W);
  for (int64_t n = 0; n < a.src.images(); ++n) {
    RandomStream random = a.src_random;
    random.first_element += n * C * H * W;
    require(trim_span(a.src.image(n), src.data(), C * H * W, a.src_trim, random, context.features),
            "NaN in the layer's input");
    float* dst = a.dst.image(n);
    for (int64_t k = 0; k < K; ++k)
      for (int64_t p = 0; p < P; ++p)
        for (int64_t q = 0; q < Q; ++q) {
          float sum = 0;
          for (int64_t c = 0; c < group_c; ++c)
            for (int64_t r = 0; r < R; ++r)
              for (int64_t s = 0; s < S; ++s) {
                const int64_t h = p * a.stride_h - a.pad_h + r * a.dilation_h;
                const int64_t w = q * a.stride_w - a.pad_w + s * a.dilation_w;
                if (h < 0 || h >= H || w < 0 || w >= W) continue;
                sum += src[((k / group_k * group_c + c) * H + h) * W + w] *
                       a.weights.f32()[((k * group_c + c) * R + r) * S + s];
              }
          dst[(k * P + p) * Q + q] = a.bias ? sum + a.bias.f32()[k] : sum;
        }
    random = a.dst_random;
    random.first_element += n * K * P * Q;
    require(trim_span(dst, dst, K * P * Q, a.dst_trim, random, context.features),
            "NaN in the layer's output");
    if (a.relu)
      for (int64_t i = 0; i < K * P * Q; ++i) dst[i] = dst[i] < 0 ? 0 : dst[i];
  }
}

}  // namespace ristretto
