// Gradients of inner products and deconvolutions, and col2im, against their definitions in double.
#include <cstring>

#include "check.h"
#include "core/op/convolution/col2im.h"
#include "core/op/convolution/deconvolution_gradient.h"
#include "core/op/convolution/inner_product_gradient.h"
#include "float_cases.h"

using namespace ristretto;

namespace {

using Values = guarded::vector<float>;

// Memory of a tensor whose images may lie apart; there is no slack after the last one.
Tensor images_of(Values& memory, cases::Random& random, bool whole, std::initializer_list<int64_t> dims) {
  Tensor tensor = Tensor::of(nullptr, dims);
  const int64_t gap = random.integer(0, 1) ? random.integer(1, 20) : 0;
  tensor.image_stride += gap;
  memory = random.values(tensor.images() * tensor.image_stride - gap, whole);
  tensor.data = memory.data();
  return tensor;
}

void check_near(const char* name, double actual, double expected, double magnitude, int64_t depth, bool whole,
                const std::string& text) {
  if (whole)
    CHECK_EQUAL(actual, expected, name, " ", text);
  else
    CHECK(std::fabs(actual - expected) <= cases::sum_tolerance(depth, magnitude), name, ": ", actual, " for ",
          expected, " ", text);
}

bool same(const Values& a, const Values& b) {
  return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(float));
}

}  // namespace

TEST(inner_product_gradients_agree_with_the_definition) {
  cases::Random random(11);
  const CpuFeatures features = detect_cpu_features();
  Context one(1, features), three(3, features);
  for (int round = 0; round < 60; ++round) {
    const bool whole = round % 2, transpose = random.integer(0, 1);
    const int64_t M = random.integer(1, 30), N = random.integer(1, random.integer(0, 3) ? 40 : 300),
                  K = random.integer(1, random.integer(0, 3) ? 50 : 500);
    Values src, dst_diff, src_diff, weights = random.values(N * K, whole),
                                    weights_diff = random.values(N * K, whole),
                                    bias_diff = random.values(N, whole);
    InnerProductGradientArguments a;
    a.transpose = transpose;
    a.src = images_of(src, random, whole, {M, K});
    a.dst_diff = images_of(dst_diff, random, whole, {M, N});
    a.src_diff = images_of(src_diff, random, whole, {M, K});
    a.weights = Tensor::of(weights.data(), {transpose ? K : N, transpose ? N : K});
    a.weights_diff = a.weights;
    a.bias_diff = Tensor::of(bias_diff.data(), {N});
    const auto with = [&](Context& context, Values& s, Values& w, Values& b) {
      s = src_diff, w = weights_diff, b = bias_diff;
      InnerProductGradientArguments copy = a;
      copy.src_diff.data = s.data(), copy.weights_diff.data = w.data(), copy.bias_diff.data = b.data();
      InnerProductGradient::check(copy);
      InnerProductGradient::run(context, copy);
    };
    Values s, w, b, s3, w3, b3;
    with(one, s, w, b);
    with(three, s3, w3, b3);
    CHECK(same(s, s3) && same(w, w3) && same(b, b3));
    const std::string text = a.src.shape_text() + " x " + a.weights.shape_text();
    const auto weight = [&](int64_t n, int64_t k) { return transpose ? k * N + n : n * K + k; };
    for (int64_t n = 0; n < N; ++n) {
      double bias = bias_diff[n], bias_size = std::fabs(bias_diff[n]);
      for (int64_t m = 0; m < M; ++m)
        bias += a.dst_diff.image(m)[n], bias_size += std::fabs(a.dst_diff.image(m)[n]);
      check_near("bias_diff", b[n], bias, bias_size, M, whole, text);
      for (int64_t k = 0; k < K; ++k) {
        double sum = weights_diff[weight(n, k)], size = std::fabs(sum);
        for (int64_t m = 0; m < M; ++m) {
          const double product = double(a.dst_diff.image(m)[n]) * a.src.image(m)[k];
          sum += product, size += std::fabs(product);
        }
        check_near("weights_diff", w[weight(n, k)], sum, size, M, whole, text);
      }
    }
    Values untouched = src_diff;
    for (int64_t m = 0; m < M; ++m)
      for (int64_t k = 0; k < K; ++k) {
        double sum = 0, size = 0;
        for (int64_t n = 0; n < N; ++n) {
          const double product = double(a.dst_diff.image(m)[n]) * weights[weight(n, k)];
          sum += product, size += std::fabs(product);
        }
        check_near("src_diff", s[m * a.src_diff.image_stride + k], sum, size, N, whole, text);
        untouched[m * a.src_diff.image_stride + k] = s[m * a.src_diff.image_stride + k];
      }
    CHECK(same(untouched, s), "between the rows ", text);
  }
}

TEST(deconvolution_gradients_agree_with_the_definition) {
  cases::Random random(12);
  const CpuFeatures features = detect_cpu_features();
  Context one(1, features), three(3, features);
  for (int round = 0; round < 60; ++round) {
    const bool whole = round % 2;
    DeconvolutionGradientArguments a;
    a.group = random.integer(0, 2) ? 1 : 2;
    const int64_t n = random.integer(1, 3), C = a.group * random.integer(1, 10),
                  group_k = random.integer(1, 12), K = a.group * group_k, R = random.integer(1, 4),
                  S = random.integer(1, 4), P = random.integer(2, 9), Q = random.integer(2, 20);
    a.stride_h = random.integer(1, 3), a.stride_w = random.integer(1, 3);
    a.dilation_h = random.integer(1, 2), a.dilation_w = random.integer(1, 2);
    const int64_t extent_h = a.dilation_h * (R - 1) + 1, extent_w = a.dilation_w * (S - 1) + 1;
    a.pad_h = random.integer(0, (extent_h - 1) / 2), a.pad_w = random.integer(0, (extent_w - 1) / 2);
    const int64_t H = a.stride_h * (P - 1) + extent_h - 2 * a.pad_h,
                  W = a.stride_w * (Q - 1) + extent_w - 2 * a.pad_w;
    Values src, dst_diff, src_diff, weights = random.values(C * group_k * R * S, whole),
                                    weights_diff = random.values(weights.size(), whole),
                                    bias_diff = random.values(K, whole);
    a.src = images_of(src, random, whole, {n, C, P, Q});
    a.dst_diff = images_of(dst_diff, random, whole, {n, K, H, W});
    a.src_diff = images_of(src_diff, random, whole, {n, C, P, Q});
    a.weights = a.weights_diff = Tensor::of(weights.data(), {C, group_k, R, S});
    a.bias_diff = Tensor::of(bias_diff.data(), {K});
    const auto with = [&](Context& context, Values& s, Values& w, Values& b) {
      s = src_diff, w = weights_diff, b = bias_diff;
      DeconvolutionGradientArguments copy = a;
      copy.src_diff.data = s.data(), copy.weights_diff.data = w.data(), copy.bias_diff.data = b.data();
      DeconvolutionGradient::check(copy);
      DeconvolutionGradient::run(context, copy);
    };
    Values s, w, b, s3, w3, b3;
    with(one, s, w, b);
    with(three, s3, w3, b3);
    CHECK(same(s, s3) && same(w, w3) && same(b, b3));

    std::vector<double> src_sum(src_diff.size()), src_size(src_diff.size()), weights_sum(weights.size()),
        weights_size(weights.size()), bias_sum(K), bias_size(K);
    std::vector<bool> covered(src_diff.size());
    for (size_t i = 0; i < weights.size(); ++i)
      weights_sum[i] = weights_diff[i], weights_size[i] = std::fabs(weights_diff[i]);
    for (int64_t k = 0; k < K; ++k) bias_sum[k] = bias_diff[k], bias_size[k] = std::fabs(bias_diff[k]);
    const int64_t group_c = C / a.group;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < K; ++k)
        for (int64_t j = 0; j < H * W; ++j) {
          const double diff = a.dst_diff.image(i)[k * H * W + j];
          bias_sum[k] += diff, bias_size[k] += std::fabs(diff);
        }
      for (int64_t c = 0; c < C; ++c)
        for (int64_t p = 0; p < P; ++p)
          for (int64_t q = 0; q < Q; ++q) {
            const int64_t at = i * a.src_diff.image_stride + (c * P + p) * Q + q;
            covered[at] = true;
            for (int64_t j = 0; j < group_k; ++j)
              for (int64_t r = 0; r < R; ++r)
                for (int64_t t = 0; t < S; ++t) {
                  const int64_t k = c / group_c * group_k + j,
                                y = p * a.stride_h - a.pad_h + r * a.dilation_h,
                                x = q * a.stride_w - a.pad_w + t * a.dilation_w;
                  if (y < 0 || y >= H || x < 0 || x >= W) continue;
                  const double diff = a.dst_diff.image(i)[(k * H + y) * W + x];
                  const int64_t weight = ((c * group_k + j) * R + r) * S + t;
                  const double to_src = diff * weights[weight],
                               to_weight = diff * a.src.image(i)[(c * P + p) * Q + q];
                  src_sum[at] += to_src, src_size[at] += std::fabs(to_src);
                  weights_sum[weight] += to_weight, weights_size[weight] += std::fabs(to_weight);
                }
          }
    }
    const std::string text = a.src.shape_text() + " to " + a.dst_diff.shape_text();
    for (size_t i = 0; i < s.size(); ++i)
      if (covered[i])
        check_near("src_diff", s[i], src_sum[i], src_size[i], group_k * R * S, whole, text);
      else
        CHECK_EQUAL(s[i], src_diff[i], "between the images ", text);
    for (size_t i = 0; i < w.size(); ++i)
      check_near("weights_diff", w[i], weights_sum[i], weights_size[i], n * P * Q, whole, text);
    for (int64_t k = 0; k < K; ++k)
      check_near("bias_diff", b[k], bias_sum[k], bias_size[k], n * H * W, whole, text);
  }
}

TEST(col2im_adds_every_window_where_it_lies) {
  cases::Random random(13);
  Context context(3, detect_cpu_features());
  for (int round = 0; round < 60; ++round) {
    Col2imArguments a;
    const int64_t n = random.integer(1, 3), C = random.integer(1, 4), H = random.integer(6, 14),
                  W = random.integer(6, 20);
    a.kernel_h = random.integer(1, 3), a.kernel_w = random.integer(1, 4);
    a.stride_h = random.integer(1, 3), a.stride_w = random.integer(1, 3);
    a.dilation_h = random.integer(1, 2), a.dilation_w = random.integer(1, 2);
    a.pad_h = random.integer(0, 2), a.pad_w = random.integer(0, 4);
    const int64_t P = (H + 2 * a.pad_h - a.dilation_h * (a.kernel_h - 1) - 1) / a.stride_h + 1,
                  Q = (W + 2 * a.pad_w - a.dilation_w * (a.kernel_w - 1) - 1) / a.stride_w + 1;
    Values src, dst;
    a.src = images_of(src, random, true, {n, C * a.kernel_h * a.kernel_w, P, Q});
    a.dst = images_of(dst, random, true, {n, C, H, W});
    Values expected = dst;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < C; ++c) {
        float* plane = expected.data() + i * a.dst.image_stride + c * H * W;
        std::fill(plane, plane + H * W, 0.0f);
        for (int64_t r = 0; r < a.kernel_h; ++r)
          for (int64_t s = 0; s < a.kernel_w; ++s)
            for (int64_t p = 0; p < P; ++p)
              for (int64_t q = 0; q < Q; ++q) {
                const int64_t y = p * a.stride_h - a.pad_h + r * a.dilation_h,
                              x = q * a.stride_w - a.pad_w + s * a.dilation_w;
                if (y >= 0 && y < H && x >= 0 && x < W)
                  plane[y * W + x] +=
                      a.src.image(i)[(((c * a.kernel_h + r) * a.kernel_w + s) * P + p) * Q + q];
              }
      }
    Col2im::check(a);
    Col2im::run(context, a);
    CHECK(same(dst, expected), a.src.shape_text(), " into ", a.dst.shape_text());
  }
  Col2imArguments a;
  Values src(2 * 4 * 9), dst(16);
  a.src = Tensor::of(src.data(), {1, 4, 3, 3}), a.dst = Tensor::of(dst.data(), {1, 1, 4, 4});
  a.kernel_h = a.kernel_w = 2;
  Col2im::check(a);
  a.stride_h = 2;
  bool refused = false;
  try {
    Col2im::check(a);
  } catch (const Error&) {
    refused = true;
  }
  CHECK(refused);
}
