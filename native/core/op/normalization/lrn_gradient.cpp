#include "lrn_gradient.h"

#include <algorithm>

#include "../check_tensor.h"
#include "lrn_power.h"

namespace ristretto {
namespace {

// A block of neighbouring positions through all channels, as in the forward pass.
void across(Context& context, const LrnGradientArguments& a) {
  constexpr int64_t kBlock = 128;
  const int64_t channels = a.src.dim[1], plane = a.src.dim[2] * a.src.dim[3], half = (a.size - 1) / 2;
  const int64_t blocks = (plane + kBlock - 1) / kBlock;
  const float alpha = a.alpha / float(a.size), factor = 2 * alpha * a.beta;
  context.pool.for_range(a.src.dim[0] * blocks, 1, [&](int64_t begin, int64_t end, int worker) {
    float* squares =
        static_cast<float*>(context.scratch(worker, size_t(2 * channels + 1) * kBlock * sizeof(float)));
    float* ratios = squares + channels * kBlock;
    float* sum = ratios + channels * kBlock;
    const auto sum_window = [&](const float* values, int64_t c, int64_t width) {
      std::fill(sum, sum + width, 0.0f);
      const int64_t last = std::min(channels - 1, c + half);
      for (int64_t from = std::max<int64_t>(0, c - half); from <= last; ++from)
        for (int64_t i = 0; i < width; ++i) sum[i] += values[from * kBlock + i];
    };
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % blocks * kBlock, width = std::min(kBlock, plane - first);
      const float* src = a.src.image(task / blocks) + first;
      const float* dst_diff = a.dst_diff.image(task / blocks) + first;
      float* src_diff = a.src_diff.image(task / blocks) + first;
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < width; ++i) squares[c * kBlock + i] = src[c * plane + i] * src[c * plane + i];
      for (int64_t c = 0; c < channels; ++c) {
        sum_window(squares, c, width);
        for (int64_t i = 0; i < width; ++i) sum[i] = a.k + alpha * sum[i];
        float* scaled = src_diff + c * plane;
        scale_by_power(dst_diff + c * plane, sum, scaled, width, a.beta);
        for (int64_t i = 0; i < width; ++i) ratios[c * kBlock + i] = scaled[i] * src[c * plane + i] / sum[i];
      }
      for (int64_t c = 0; c < channels; ++c) {
        sum_window(ratios, c, width);
        for (int64_t i = 0; i < width; ++i) src_diff[c * plane + i] -= factor * src[c * plane + i] * sum[i];
      }
    }
  });
}

// Sums over the size x size window around each element of a plane, what lies outside left out.
void window_sums(const float* values, float* sums, float* column, int64_t height, int64_t width,
                 int64_t half) {
  for (int64_t y = 0; y < height; ++y) {
    std::fill(column, column + width, 0.0f);
    const int64_t last = std::min(height - 1, y + half);
    for (int64_t from = std::max<int64_t>(0, y - half); from <= last; ++from)
      for (int64_t x = 0; x < width; ++x) column[x] += values[from * width + x];
    for (int64_t x = 0; x < width; ++x) {
      float sum = 0;
      const int64_t right = std::min(width - 1, x + half);
      for (int64_t from = std::max<int64_t>(0, x - half); from <= right; ++from) sum += column[from];
      sums[y * width + x] = sum;
    }
  }
}

void within(Context& context, const LrnGradientArguments& a) {
  const int64_t channels = a.src.dim[1], height = a.src.dim[2], width = a.src.dim[3], plane = height * width;
  const int64_t half = (a.size - 1) / 2;
  const float alpha = a.alpha / (float(a.size) * float(a.size)), factor = 2 * alpha * a.beta;
  context.pool.for_range(a.src.dim[0] * channels, 1, [&](int64_t begin, int64_t end, int worker) {
    float* values = static_cast<float*>(context.scratch(worker, size_t(2 * plane + width) * sizeof(float)));
    float *sums = values + plane, *column = sums + plane;
    for (int64_t task = begin; task < end; ++task) {
      const float* src = a.src.image(task / channels) + task % channels * plane;
      const float* dst_diff = a.dst_diff.image(task / channels) + task % channels * plane;
      float* src_diff = a.src_diff.image(task / channels) + task % channels * plane;
      for (int64_t i = 0; i < plane; ++i) values[i] = src[i] * src[i];
      window_sums(values, sums, column, height, width, half);
      for (int64_t i = 0; i < plane; ++i) sums[i] = 1 + alpha * sums[i];
      scale_by_power(dst_diff, sums, src_diff, plane, a.beta);
      for (int64_t i = 0; i < plane; ++i) values[i] = src_diff[i] * src[i] / sums[i];
      window_sums(values, sums, column, height, width, half);
      for (int64_t i = 0; i < plane; ++i) src_diff[i] -= factor * src[i] * sums[i];
    }
  });
}

}  // namespace

void LrnGradient::check(const Arguments& a) {
  require_float(a.src, "src");
  require_float(a.dst_diff, "dstDiff");
  require_float(a.src_diff, "srcDiff");
  require(a.src.rank == 4, "src ", a.src.shape_text(), " must have four axes");
  require_same_shape(a.src, "src", a.dst_diff, "dstDiff");
  require_same_shape(a.src, "src", a.src_diff, "srcDiff");
  require(a.size >= 1 && a.size % 2 == 1 && a.size < int64_t{1} << 31, "size ", a.size, " is not odd");
  require(a.src_diff.data != a.dst_diff.data, "the gradient of lrn cannot be computed in place");
}

void LrnGradient::run(Context& context, const Arguments& a) {
  if (a.src.count() == 0) return;
  if (a.region == LrnRegion::across_channels)
    across(context, a);
  else
    within(context, a);
}

}  // namespace ristretto
