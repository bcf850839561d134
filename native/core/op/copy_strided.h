// copy strided: an N-dimensional block of src to a block of dst, each with its own offset and strides:
// Concat, Slice, Crop, Tile, im2col, and their gradients.
#pragma once

#include <vector>

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct CopyStridedArguments {
  Tensor src;                                     // no gaps; other memory than dst
  Tensor dst;                                     // no gaps
  int64_t src_offset = 0, dst_offset = 0;         // elements
  std::vector<int64_t> counts;                    // of the block, one per axis, at most Tensor::kMaxRank
  std::vector<int64_t> src_strides, dst_strides;  // elements; a source stride of 0 repeats
  bool accumulate = false;                        // adds to dst
};

struct CopyStrided {
  using Arguments = CopyStridedArguments;
  // Throws Error where the block leaves either tensor.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
