// copy strided: an N-dimensional block of src to a block of dst, each with its own offset and strides:
// Concat, Slice, Crop, Tile, im2col, and their gradients.
#pragma once

#include <vector>

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct CopyStridedArguments {
  Tensor src;                                     // no gaps; other memory than dst
  Tensor dst;                                     // no gaps
  int64_t src_offset = 0, dst_offset = 0;         // elements
  std::vector<int64_t> counts;                    // of the block, one per axis, at most Tensor::kMaxRank
  std::vector<int64_t> src_strides, dst_strides;  // elements; a source stride of 0 repeats
  bool accumulate = false;                        // adds to dst

  template <class F>
  static void fields(F& field) {
    using A = CopyStridedArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("srcOffset", &A::src_offset)
        .optional()
        .at_least(0)
        .doc("Offsets and strides count elements; there is a count and a stride per axis of the block.");
    field("dstOffset", &A::dst_offset).optional().at_least(0);
    field("counts", &A::counts);
    field("srcStrides", &A::src_strides);
    field("dstStrides", &A::dst_strides);
    field("accumulate", &A::accumulate).doc("Adds to dst.");
  }
};

struct CopyStrided {
  using Arguments = CopyStridedArguments;
  static constexpr const char* name = "copyStrided";
  // Throws Error where the block leaves either tensor.
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
