#include "deconvolution_gradient.h"

#include "../check_tensor.h"
#include "convolution_gradient.h"
#include "sum_channels.h"

namespace ristretto {

void DeconvolutionGradient::check(const Arguments& a) {
  DeconvolutionArguments forward;
  forward.src = a.src, forward.weights = a.weights, forward.dst = a.dst_diff;
  forward.stride_h = a.stride_h, forward.stride_w = a.stride_w, forward.pad_h = a.pad_h;
  forward.pad_w = a.pad_w, forward.dilation_h = a.dilation_h, forward.dilation_w = a.dilation_w;
  forward.group = a.group;
  Deconvolution::check(forward);
  if (a.src_diff) {
    require_float(a.src_diff, "src_diff");
    require_same_shape(a.src_diff, "src_diff", a.src, "src");
  }
  if (a.weights_diff) {
    require_contiguous(a.weights_diff, "weights_diff");
    require_same_shape(a.weights_diff, "weights_diff", a.weights, "weights");
  }
  if (a.bias_diff) {
    require_contiguous(a.bias_diff, "bias_diff");
    require(a.bias_diff.count() == a.dst_diff.dim[1], "bias_diff ", a.bias_diff.shape_text(), " for ",
            a.dst_diff.dim[1], " output channels");
  }
}

void DeconvolutionGradient::run(Context& context, const Arguments& a) {
  if (a.bias_diff) sum_channels(context, a.dst_diff, a.bias_diff.f32());
  if (a.weights_diff) {
    ConvolutionGradientArguments c;
    c.src = a.dst_diff, c.weights = a.weights, c.dst_diff = a.src, c.weights_diff = a.weights_diff;
    c.stride_h = a.stride_h, c.stride_w = a.stride_w, c.pad_h = a.pad_h, c.pad_w = a.pad_w;
    c.dilation_h = a.dilation_h, c.dilation_w = a.dilation_w;
    c.group = a.group, c.winograd = a.winograd;
    ConvolutionGradient::run(context, c);
  }
  if (a.src_diff) {
    ConvolutionArguments c;
    c.src = a.dst_diff, c.weights = a.weights, c.dst = a.src_diff;
    c.stride_h = a.stride_h, c.stride_w = a.stride_w, c.pad_h = a.pad_h, c.pad_w = a.pad_w;
    c.dilation_h = a.dilation_h, c.dilation_w = a.dilation_w;
    c.group = a.group, c.winograd = a.winograd;
    Convolution::run(context, c);
  }
}

}  // namespace ristretto
