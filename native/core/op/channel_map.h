// The loop of ops that treat each channel with numbers of its own: rows of `inner` elements, row r of channel
// r % channels, rows following each other without a gap inside an image.
#pragma once

#include <algorithm>

#include "../context.h"
#include "check_tensor.h"

namespace ristretto {

struct ChannelRows {
  int64_t channels = 1;
  int64_t inner = 1;

  // Channels are `count` axes of `tensor` from `axis` on.
  ChannelRows(const Tensor& tensor, int64_t axis, int64_t count) {
    require(axis >= 0 && count >= 0 && axis + count <= tensor.rank, "src ", tensor.shape_text(),
            " has no axes ", axis, " to ", axis + count - 1);
    channels = tensor.count(int(axis), int(axis + count));
    inner = tensor.count(int(axis + count));
  }
};

// src and dst of the same shape; a slice of a larger tensor where each image is whole rows.
inline void check_channel_map(const Tensor& src, const Tensor& dst, const ChannelRows& rows) {
  require_float(src, "src");
  require_float(dst, "dst");
  require_same_shape(src, "src", dst, "dst");
  require((src.contiguous() && dst.contiguous()) || (rows.inner > 0 && src.image_count() % rows.inner == 0),
          "src ", src.shape_text(), " is a slice of a larger tensor");
}

// dst = function(channel)(src) element by element; function(channel) holds the channel's numbers. In place is
// allowed.
template <class Function>
void map_channels(Context& context, const Tensor& src, const Tensor& dst, const ChannelRows& rows,
                  const Function& function) {
  const int64_t total = src.count();
  if (total == 0) return;
  const bool whole = src.contiguous() && dst.contiguous();
  const int64_t image = whole ? total : src.image_count();
  // One channel per element, in turn, is one run through all channels.
  const int64_t run = rows.inner == 1 ? rows.channels : rows.inner;
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(total, kGrain, [&](int64_t begin, int64_t end, int) {
    while (begin < end) {
      const int64_t n = begin / image, offset = begin % image;
      const int64_t stop = std::min({end, (n + 1) * image, begin + run - begin % run});
      const float* from = src.f32() + n * src.image_stride + offset;
      float* to = dst.f32() + n * dst.image_stride + offset;
      if (rows.inner == 1) {
        const int64_t first = begin % run;
        for (int64_t i = 0; i < stop - begin; ++i) to[i] = function(first + i)(from[i]);
      } else {
        const auto f = function(begin / run % rows.channels);
        for (int64_t i = 0; i < stop - begin; ++i) to[i] = f(from[i]);
      }
      begin = stop;
    }
  });
}

}  // namespace ristretto
