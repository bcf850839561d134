// Convolution with maximum pooling behind it: in its tiles, by the patches that suit, or by way of memory.
#include <algorithm>

#include "convolution_fixed.h"
#include "cuda/ops.h"
#include "fixed_patches.h"

namespace ristretto::cuda {

FixedPatches fixed_patches(const CodeWindow& window, int64_t height_out, int64_t width_out, int pixels) {
  constexpr int64_t kMost = int64_t{1} << 20;
  FixedPatches best;
  if (height_out < 1 || width_out < 1 || height_out > kMost || width_out > kMost || window.stride_h > kMost ||
      window.stride_w > kMost)
    return best;
  int64_t least = INT64_MAX;
  for (int64_t rows = 1; rows <= height_out; ++rows) {
    const int64_t height = (rows - 1) * window.stride_h + window.kernel_h;
    // As many windows side by side as there is room for.
    const int64_t room = pixels / height - window.kernel_w;
    if (room < 0) break;
    const int64_t columns = std::min(room / window.stride_w + 1, width_out);
    const int64_t down = (height_out + rows - 1) / rows, across = (width_out + columns - 1) / columns;
    if (down * across >= least) continue;
    least = down * across;
    best = {int(rows),
            int(columns),
            int(height),
            int((columns - 1) * window.stride_w + window.kernel_w),
            int(down),
            int(across),
            int(window.kernel_h),
            int(window.kernel_w),
            int(window.stride_h),
            int(window.stride_w),
            int(window.pad_h),
            int(window.pad_w)};
  }
  return best;
}

bool run(Context& context, const PooledConvolutionFixedArguments& a) {
  if (a.dst.images == 0) return true;
  if (pooled_convolution_fixed_tiles_supports(a)) {
    pooled_convolution_fixed_tiles(context, a);
    return true;
  }
  // Weights that are packed for this call alone would take the same memory.
  if (!a.packed) return false;
  void* memory = context.scratch(size_t(between_bytes(a)));
  return run(context, convolution_of(a, memory)) && run(context, pooling_of(a, memory));
}

}  // namespace ristretto::cuda
