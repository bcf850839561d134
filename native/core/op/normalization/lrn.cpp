#include "lrn.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../check_tensor.h"
#include "../trim/trim.h"
#include "lrn_power.h"
#include "lrn_trimmed.h"

namespace ristretto {
namespace {

// A block of neighbouring positions through all channels: the squares of the whole block first, so that dst
// may be src.
void across(Context& context, const LrnArguments& a) {
  constexpr int64_t kBlock = 128;
  const int64_t channels = a.src.dim[1], plane = a.src.dim[2] * a.src.dim[3], half = (a.size - 1) / 2;
  const int64_t blocks = (plane + kBlock - 1) / kBlock;
  const float alpha = a.alpha / float(a.size);
  context.pool.for_range(a.src.dim[0] * blocks, 1, [&](int64_t begin, int64_t end, int worker) {
    float* squares =
        static_cast<float*>(context.scratch(worker, size_t(channels + 1) * kBlock * sizeof(float)));
    float* scale = squares + channels * kBlock;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % blocks * kBlock, width = std::min(kBlock, plane - first);
      const float* src = a.src.image(task / blocks) + first;
      float* dst = a.dst.image(task / blocks) + first;
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < width; ++i) squares[c * kBlock + i] = src[c * plane + i] * src[c * plane + i];
      for (int64_t c = 0; c < channels; ++c) {
        std::fill(scale, scale + width, 0.0f);
        const int64_t last = std::min(channels - 1, c + half);
        for (int64_t from = std::max<int64_t>(0, c - half); from <= last; ++from)
          for (int64_t i = 0; i < width; ++i) scale[i] += squares[from * kBlock + i];
        for (int64_t i = 0; i < width; ++i) scale[i] = a.k + alpha * scale[i];
        scale_by_power(src + c * plane, scale, dst + c * plane, width, a.beta);
      }
    }
  });
}

void within(Context& context, const LrnArguments& a) {
  const int64_t channels = a.src.dim[1], height = a.src.dim[2], width = a.src.dim[3], plane = height * width;
  const int64_t half = (a.size - 1) / 2;
  context.pool.for_range(a.src.dim[0] * channels, 1, [&](int64_t begin, int64_t end, int worker) {
    float* squares = static_cast<float*>(context.scratch(worker, size_t(plane + 2 * width) * sizeof(float)));
    float *column = squares + plane, *scale = column + width;
    for (int64_t task = begin; task < end; ++task) {
      const float* src = a.src.image(task / channels) + task % channels * plane;
      float* dst = a.dst.image(task / channels) + task % channels * plane;
      for (int64_t i = 0; i < plane; ++i) squares[i] = src[i] * src[i];
      for (int64_t y = 0; y < height; ++y) {
        std::fill(column, column + width, 0.0f);
        const int64_t last = std::min(height - 1, y + half);
        for (int64_t from = std::max<int64_t>(0, y - half); from <= last; ++from)
          for (int64_t x = 0; x < width; ++x) column[x] += squares[from * width + x];
        // The padding is as wide as half a window: no window is clipped to less than its whole area.
        const float area = float(a.size) * float(a.size);
        for (int64_t x = 0; x < width; ++x) {
          float sum = 0;
          const int64_t right = std::min(width - 1, x + half);
          for (int64_t from = std::max<int64_t>(0, x - half); from <= right; ++from) sum += column[from];
          scale[x] = 1 + a.alpha * (sum / area);
        }
        scale_by_power(src + y * width, scale, dst + y * width, width, a.beta);
      }
    }
  });
}

}  // namespace

void lrn_ref(Context&, const LrnArguments& a) {
  const int64_t channels = a.src.dim[1], height = a.src.dim[2], width = a.src.dim[3], plane = height * width;
  const int64_t half = (a.size - 1) / 2;
  std::vector<float> image(size_t(channels * plane));
  for (int64_t n = 0; n < a.src.dim[0]; ++n) {
    std::copy_n(a.src.image(n), channels * plane, image.begin());
    float* dst = a.dst.image(n);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) {
          double sum = 0;
          for (int64_t i = -half; i <= half; ++i)
            if (a.region == LrnRegion::across_channels) {
              if (c + i < 0 || c + i >= channels) continue;
              const double value = image[(c + i) * plane + y * width + x];
              sum += value * value;
            } else {
              for (int64_t j = -half; j <= half; ++j) {
                if (y + i < 0 || y + i >= height || x + j < 0 || x + j >= width) continue;
                const double value = image[c * plane + (y + i) * width + x + j];
                sum += value * value;
              }
            }
          const double scale = a.region == LrnRegion::across_channels
                                   ? a.k + double(a.alpha) / double(a.size) * sum
                                   : 1 + double(a.alpha) * sum / double(a.size * a.size);
          const int64_t at = c * plane + y * width + x;
          dst[at] = float(image[at] * std::pow(scale, -double(a.beta)));
        }
  }
}

void Lrn::check(const Arguments& a) {
  require_float(a.src, "src");
  require_float(a.dst, "dst");
  require(a.src.rank == 4, "src ", a.src.shape_text(), " must have four axes");
  require_same_shape(a.src, "src", a.dst, "dst");
  require(a.size >= 1 && a.size % 2 == 1 && a.size < int64_t{1} << 31, "size ", a.size, " is not odd");
  check_trim_format(a.trim);
  require(!a.trim || a.trim.kind == FormatKind::minifloat, "only a minifloat can trim the steps of lrn");
  require(a.trim.rounding != Rounding::stochastic, "the steps of lrn cannot be rounded stochastically");
  require(!a.trim || a.region == LrnRegion::across_channels, "trimmed steps need the region across channels");
}

const std::vector<KernelRow<LrnArguments>>& Lrn::rows() {
  static const std::vector<KernelRow<LrnArguments>> rows = {
      {"trimmed", [](const LrnArguments& a, const CpuFeatures&) { return bool(a.trim); }, lrn_trimmed},
      {"across",
       [](const LrnArguments& a, const CpuFeatures&) {
         return !a.trim && a.region == LrnRegion::across_channels;
       },
       across},
      {"within",
       [](const LrnArguments& a, const CpuFeatures&) {
         return !a.trim && a.region == LrnRegion::within_channel;
       },
       within},
      {"ref", [](const LrnArguments& a, const CpuFeatures&) { return !a.trim; }, lrn_ref},
  };
  return rows;
}

void Lrn::run(Context& context, const Arguments& a) {
  if (a.src.count() == 0) return;
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
