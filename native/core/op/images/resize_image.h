// resize image: bilinear, 8 bits a channel, in the 11-bit fixed-point arithmetic of OpenCV's cv::resize with
// INTER_LINEAR, which Caffe's tools and image layers call. Halving both sides is the mean of 2x2 pixels
// there, and so it is here.
#pragma once

#include "../../context.h"
#include "../../tensor_view.h"

namespace ristretto {

struct ResizeImageArguments {
  Tensor src;  // u8 (H, W, C), C from 1 to 4
  Tensor dst;  // u8 (H', W', C)
};

struct ResizeImage {
  using Arguments = ResizeImageArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
