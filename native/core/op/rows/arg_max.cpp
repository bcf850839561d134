#include "arg_max.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "../check_tensor.h"

namespace ristretto {

void ArgMax::check(const Arguments& a) {
  require_contiguous(a.src, "src");
  require_contiguous(a.dst, "dst");
  require(a.outer >= 0 && a.length >= 1 && a.inner >= 1, "a run of ", a.length, " scores");
  require(a.src.count() == a.outer * a.length * a.inner, "src ", a.src.shape_text(), " is not ", a.outer,
          " x ", a.length, " x ", a.inner);
  require(a.top_k >= 1 && a.top_k <= a.length, "top_k ", a.top_k, " is not from 1 to the number of scores, ",
          a.length);
  const int64_t each = a.output == ArgMaxOutput::both ? 2 * a.top_k : a.top_k;
  require(a.output != ArgMaxOutput::both || a.inner == 1, "indices and values need whole images");
  require(a.dst.count() == a.outer * each * a.inner, "dst ", a.dst.shape_text(), " does not hold ",
          a.outer * a.inner, " x ", each);
}

void ArgMax::run(Context& context, const Arguments& a) {
  context.pool.for_range(
      a.outer * a.inner, std::max<int64_t>(1, 8192 / a.length), [&](int64_t begin, int64_t end, int) {
        std::vector<std::pair<float, int64_t>> scores(a.length);
        const auto before = [](const auto& x, const auto& y) {
          const bool x_nan = std::isnan(x.first), y_nan = std::isnan(y.first);
          if (x_nan || y_nan) return x_nan == y_nan ? x.second > y.second : y_nan;
          return x.first != y.first ? x.first > y.first : x.second > y.second;
        };
        for (int64_t run = begin; run < end; ++run) {
          const int64_t n = run / a.inner, i = run % a.inner;
          const float* src = a.src.f32() + n * a.length * a.inner + i;
          for (int64_t j = 0; j < a.length; ++j) scores[j] = {src[j * a.inner], j};
          std::partial_sort(scores.begin(), scores.begin() + a.top_k, scores.end(), before);
          const bool both = a.output == ArgMaxOutput::both;
          float* dst = a.dst.f32() + n * a.top_k * a.inner * (both ? 2 : 1) + i;
          for (int64_t j = 0; j < a.top_k; ++j) {
            if (a.output != ArgMaxOutput::value) dst[j * a.inner] = float(scores[j].second);
            if (a.output == ArgMaxOutput::value) dst[j * a.inner] = scores[j].first;
            if (both) dst[a.top_k + j] = scores[j].first;
          }
        }
      });
}

}  // namespace ristretto
