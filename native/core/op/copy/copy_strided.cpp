#include "copy_strided.h"

#include <algorithm>
#include <cstring>

#include "../check_tensor.h"

namespace ristretto {
namespace {

// Whether offset + sum((count - 1) * stride) lies inside `total` elements; no step of the sum can overflow.
bool block_fits(int64_t total, int64_t offset, const std::vector<int64_t>& counts,
                const std::vector<int64_t>& strides) {
  if (offset < 0 || offset >= total) return false;
  int64_t left = total - 1 - offset;
  for (size_t axis = 0; axis < counts.size(); ++axis) {
    if (counts[axis] == 1 || strides[axis] == 0) continue;
    if (counts[axis] - 1 > left / strides[axis]) return false;
    left -= (counts[axis] - 1) * strides[axis];
  }
  return true;
}

}  // namespace

void CopyStrided::check(const Arguments& c) {
  require_contiguous(c.src, "src");
  require_contiguous(c.dst, "dst");
  const size_t rank = c.counts.size();
  require(
      rank >= 1 && rank <= Tensor::kMaxRank && c.src_strides.size() == rank && c.dst_strides.size() == rank,
      "copy: ", rank, " counts, ", c.src_strides.size(), " source and ", c.dst_strides.size(),
      " destination strides");
  bool empty = false;
  for (size_t axis = 0; axis < rank; ++axis) {
    require(c.counts[axis] >= 0 && c.src_strides[axis] >= 0 && c.dst_strides[axis] >= 0,
            "copy: negative count or stride on axis ", axis);
    require(c.counts[axis] <= 1 || c.dst_strides[axis] > 0, "copy: destination stride 0 on axis ", axis);
    empty = empty || c.counts[axis] == 0;
  }
  if (empty) return;
  int64_t elements = c.dst.count();
  for (int64_t count : c.counts) elements /= count;
  require(elements > 0, "copy: the block has more elements than dst ", c.dst.shape_text());
  require(block_fits(c.src.count(), c.src_offset, c.counts, c.src_strides), "copy: the block leaves src ",
          c.src.shape_text());
  require(block_fits(c.dst.count(), c.dst_offset, c.counts, c.dst_strides), "copy: the block leaves dst ",
          c.dst.shape_text());
}

void CopyStrided::run(Context& context, const Arguments& c) {
  const int outer_axes = int(c.counts.size()) - 1;
  const int64_t length = c.counts[outer_axes];
  const int64_t src_step = c.src_strides[outer_axes], dst_step = c.dst_strides[outer_axes];
  int64_t rows = length > 0 ? 1 : 0;
  for (int axis = 0; axis < outer_axes; ++axis) rows *= c.counts[axis];
  constexpr int64_t kGrain = 1 << 14;
  const int64_t grain = kGrain / std::max<int64_t>(length, 1) + 1;
  context.pool.for_range(rows, grain, [&](int64_t begin, int64_t end, int) {
    int64_t index[Tensor::kMaxRank];
    int64_t src_at = c.src_offset, dst_at = c.dst_offset, rest = begin;
    for (int axis = outer_axes - 1; axis >= 0; --axis) {
      index[axis] = rest % c.counts[axis];
      rest /= c.counts[axis];
      src_at += index[axis] * c.src_strides[axis];
      dst_at += index[axis] * c.dst_strides[axis];
    }
    for (int64_t row = begin; row < end; ++row) {
      const float* from = c.src.f32() + src_at;
      float* to = c.dst.f32() + dst_at;
      if (c.accumulate)
        for (int64_t i = 0; i < length; ++i) to[i * dst_step] += from[i * src_step];
      else if (src_step == 1 && dst_step == 1)
        std::memcpy(to, from, length * sizeof(float));
      else
        for (int64_t i = 0; i < length; ++i) to[i * dst_step] = from[i * src_step];
      for (int axis = outer_axes - 1; axis >= 0; --axis) {
        src_at += c.src_strides[axis];
        dst_at += c.dst_strides[axis];
        if (++index[axis] < c.counts[axis]) break;
        src_at -= c.counts[axis] * c.src_strides[axis];
        dst_at -= c.counts[axis] * c.dst_strides[axis];
        index[axis] = 0;
      }
    }
  });
}

}  // namespace ristretto
