#include "unary.h"

#include "../check_tensor.h"
#include "unary_functions.h"

namespace ristretto {
namespace {

using Span = void (*)(const float* src, float* dst, int64_t count, const UnaryParameters& parameters);

template <class Function>
void span(const float* src, float* dst, int64_t count, const UnaryParameters& parameters) {
  const Function f{parameters};
  for (int64_t i = 0; i < count; ++i) dst[i] = f(src[i]);
}

Span span_for(const UnaryArguments& u) {
  return with_function(u, []<class Function>(const Function&) -> Span { return span<Function>; });
}

}  // namespace

void Unary::check(const Arguments& u) {
  require_float(u.src, "src");
  require_float(u.dst, "dst");
  require_same_shape(u.src, "src", u.dst, "dst");
  span_for(u);
}

void Unary::run(Context& context, const Arguments& u) {
  const Span apply = span_for(u);
  const int64_t count = u.src.count();
  if (count == 0) return;
  // One run of elements where neither side has gaps, else one per image.
  const bool whole = u.src.contiguous() && u.dst.contiguous();
  const int64_t length = whole ? count : u.src.image_count();
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(count, kGrain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t image = begin / length, offset = begin % length;
      const int64_t stop = std::min(end, (image + 1) * length);
      apply(u.src.f32() + image * u.src.image_stride + offset,
            u.dst.f32() + image * u.dst.image_stride + offset, stop - begin, {u.a, u.b, u.c});
      begin = stop;
    }
  });
}

}  // namespace ristretto
