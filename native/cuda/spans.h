// The parts of two tensors of one shape that are contiguous in both, as kernels take them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "context.h"
#include "core/tensor_view.h"
#include "executor.h"

namespace ristretto::cuda {

// `images` runs of `count` elements each, so many elements apart.
struct Spans {
  int64_t images, count, src_stride, dst_stride;
};

inline Spans spans_of(const Tensor& src, const Tensor& dst) {
  if (src.contiguous() && dst.contiguous()) return {1, src.count(), 0, 0};
  return {src.images(), src.image_count(), src.image_stride, dst.image_stride};
}

// Whether every run starts at a multiple of 16 bytes in both.
inline bool aligned16(const Tensor& src, const Tensor& dst, const Spans& spans) {
  return (reinterpret_cast<uintptr_t>(src.data) | reinterpret_cast<uintptr_t>(dst.data)) % 16 == 0 &&
         (spans.images == 1 || (spans.src_stride % 4 == 0 && spans.dst_stride % 4 == 0));
}

// Blocks along x share a run's elements, y counts the runs: enough blocks to fill the device, of at least one
// turn's work each.
inline Grid span_grid(const Context& context, const Spans& spans, int64_t per_block) {
  const int64_t wanted = (spans.count + per_block - 1) / per_block;
  const int64_t most = std::max<int64_t>(1, int64_t{8} * context.device().multiprocessors / spans.images);
  return {int(std::max<int64_t>(1, std::min(wanted, most))), int(spans.images), 1};
}

}  // namespace ristretto::cuda
