#include "lrn_trimmed.h"

#include <algorithm>
#include <cmath>

#include "../../format/minifloat.h"

namespace ristretto {
namespace {

// One position through all channels. `values` and `squares` have room for a column each.
void trimmed_column(const LrnArguments& a, const Minifloat& format, const float* src, float* dst,
                    int64_t plane, float* values, float* squares) {
  const auto trim = [&](float x) { return minifloat_trim(x, format, 0); };
  const int64_t channels = a.src.dim[1], after = a.size - 1 - (a.size - 1) / 2;
  const float alpha = a.alpha / float(a.size);
  for (int64_t c = 0; c < channels; ++c) {
    const float value = src[c * plane];
    require(value == value, "NaN in the layer's input");
    values[c] = trim(value);
    squares[c] = trim(values[c] * values[c]);
  }
  // The window moves by one channel: add the newest square, subtract the one that leaves, each trimmed.
  float sum = 0;
  for (int64_t head = 0; head < channels + after; ++head) {
    if (head < channels) sum = trim(sum + squares[head]);
    const int64_t leaving = head - a.size;
    if (head >= after && leaving >= 0 && leaving < channels) sum = trim(sum - squares[leaving]);
    const int64_t c = head - after;
    if (c < 0) continue;
    const float scale = trim(a.k + trim(sum * alpha));
    const float power = trim(float(std::pow(double(scale), -double(a.beta))));
    dst[c * plane] = trim(values[c] * power);
  }
}

}  // namespace

void lrn_trimmed(Context& context, const LrnArguments& a) {
  const int64_t channels = a.src.dim[1], plane = a.src.dim[2] * a.src.dim[3];
  const Minifloat format = minifloat(a.trim);
  context.pool.for_range(a.src.dim[0] * plane, 64, [&](int64_t begin, int64_t end, int worker) {
    float* values = static_cast<float*>(context.scratch(worker, size_t(2 * channels) * sizeof(float)));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t n = task / plane, at = task % plane;
      trimmed_column(a, format, a.src.image(n) + at, a.dst.image(n) + at, plane, values, values + channels);
    }
  });
}

}  // namespace ristretto
