// Cuts a tensor into spans of contiguous elements, shared among a context's threads.
#pragma once

#include <algorithm>

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

// Elements that one task takes at least: below it, starting a thread costs more than the work.
inline constexpr int64_t kSpanGrain = 32 << 10;

// Calls body(image, offset, element, count, worker) for spans that cover `shape` once: `count` elements from
// `offset` in `image`, of which the first is the tensor's `element`-th. Spans cross images where `contiguous`
// (then image is 0) and never otherwise.
template <class Body>
void for_each_span(Context& context, const Tensor& shape, bool contiguous, const Body& body) {
  const int64_t total = shape.count(), row = contiguous ? total : shape.image_count();
  context.pool.for_range(total, kSpanGrain, [&](int64_t begin, int64_t end, int worker) {
    while (begin < end) {
      const int64_t image = begin / row, offset = begin % row, count = std::min(end - begin, row - offset);
      body(image, offset, begin, count, worker);
      begin += count;
    }
  });
}

}  // namespace ristretto
