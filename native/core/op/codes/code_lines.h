// Cuts images of codes into lines, shared among a context's threads.
#pragma once

#include <algorithm>

#include "../../code_tensor.h"
#include "../../context.h"

namespace ristretto {

// `pixels` from the start of `row`: a row of the image, or several where all lie dense.
struct CodeLine {
  int64_t image, row, pixels;
};

// Codes that one task takes at least: below it, starting a thread costs more than the work.
inline constexpr int64_t kCodeGrain = 32 << 10;

// Calls body(line) for lines that cover the images of a and b, which have one shape, once, and
// finish(image, begin, end) for the rows that a thread has done, to write their halo.
template <class Body, class Finish>
void for_code_lines(Context& context, const CodeTensor& a, const CodeTensor& b, const Body& body,
                    const Finish& finish) {
  const int64_t H = a.height, W = a.width;
  const bool dense = a.row_stride == W * a.pixel_stride && b.row_stride == W * b.pixel_stride;
  const int64_t grain = std::max<int64_t>(1, kCodeGrain / (W * a.channels));
  context.pool.for_range(a.images * H, grain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t n = begin / H, first = begin % H, rows = std::min(end - begin, H - first);
      if (dense)
        body(CodeLine{n, first, rows * W});
      else
        for (int64_t h = first; h < first + rows; ++h) body(CodeLine{n, h, W});
      finish(n, first, first + rows);
      begin += rows;
    }
  });
}

}  // namespace ristretto
