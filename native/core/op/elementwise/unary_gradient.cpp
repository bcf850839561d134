#include "unary_gradient.h"

#include "../check_tensor.h"
#include "unary_functions.h"

namespace ristretto {
namespace {

using Span = void (*)(const float* values, const float* dst_diff, float* src_diff, int64_t count,
                      const UnaryParameters& parameters);

template <class Slope>
void span(const float* values, const float* dst_diff, float* src_diff, int64_t count,
          const UnaryParameters& parameters) {
  const Slope slope{parameters};
  for (int64_t i = 0; i < count; ++i) src_diff[i] = slope(values[i], dst_diff[i]);
}

Span span_for(const UnaryGradientArguments& u) {
  return with_slope(u, []<class Slope>(const Slope&) -> Span { return span<Slope>; });
}

}  // namespace

void UnaryGradient::check(const Arguments& u) {
  require_float(u.values, "values");
  require_float(u.dst_diff, "dstDiff");
  require_float(u.src_diff, "srcDiff");
  require_same_shape(u.values, "values", u.dst_diff, "dstDiff");
  require_same_shape(u.values, "values", u.src_diff, "srcDiff");
  span_for(u);
}

void UnaryGradient::run(Context& context, const Arguments& u) {
  const Span apply = span_for(u);
  const int64_t count = u.values.count();
  if (count == 0) return;
  // One run of elements where no side has gaps, else one per image.
  const bool whole = u.values.contiguous() && u.dst_diff.contiguous() && u.src_diff.contiguous();
  const int64_t length = whole ? count : u.values.image_count();
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(count, kGrain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t image = begin / length, offset = begin % length;
      const int64_t stop = std::min(end, (image + 1) * length);
      apply(u.values.f32() + image * u.values.image_stride + offset,
            u.dst_diff.f32() + image * u.dst_diff.image_stride + offset,
            u.src_diff.f32() + image * u.src_diff.image_stride + offset, stop - begin, {u.a, u.b, u.c});
      begin = stop;
    }
  });
}

}  // namespace ristretto
