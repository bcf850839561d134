// transform image: what Caffe's DataTransformer does to one record: crop, mirror, subtract the mean, scale.
//
//   dst[c,h,w] = (src[c, crop_top + h, crop_left + w'] - mean[...]) * scale,   w' mirrored where asked
//
// in float32, in that order of operations.
#pragma once

#include <vector>

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct TransformImageArguments {
  Tensor src;                      // u8 or f32: (H, W, C) with channels_last, else (C, H, W)
  Tensor dst;                      // f32 (1, C, h, w): one image of the batch
  Tensor mean;                     // f32 (1, C, H, W) as a mean file has it, or empty
  std::vector<float> mean_values;  // one for all channels or one per channel; empty: none
  bool channels_last = false;
  bool mirror = false;
  int64_t crop_top = 0, crop_left = 0;
  float scale = 1;
};

struct TransformImage {
  using Arguments = TransformImageArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
