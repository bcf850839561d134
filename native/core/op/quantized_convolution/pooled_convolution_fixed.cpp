#include "pooled_convolution_fixed.h"

#include "../../aligned_buffer.h"

namespace ristretto {

namespace {

int64_t outputs(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t room = size + 2 * pad - (dilation * (kernel - 1) + 1);
  return room < 0 ? 0 : room / stride + 1;
}

// The codes between the two, without gaps and without a halo.
CodeTensor between(const PooledConvolutionFixedArguments& a, void* memory) {
  require(a.spread_h == 1 && a.spread_w == 1, "pooled convolution: of a deconvolution");
  require(a.weights.rank == 4, "pooled convolution: weights ", a.weights.shape_text());
  for (const int64_t value : {a.stride_h, a.stride_w, a.dilation_h, a.dilation_w})
    require(value >= 1, "pooled convolution: a stride or dilation of ", value);
  CodeTensor t = a.dst;
  t.data = memory;
  t.halo_h = t.halo_w = 0;
  t.height = outputs(a.src.height, a.weights.dim[2], a.stride_h, a.pad_h, a.dilation_h);
  t.width = outputs(a.src.width, a.weights.dim[3], a.stride_w, a.pad_w, a.dilation_w);
  require(t.height >= 1 && t.width >= 1, "pooled convolution: the kernel exceeds the padded input");
  t.pixel_stride = t.channels;
  t.row_stride = t.width * t.pixel_stride;
  t.image_stride = t.height * t.row_stride;
  t.slack = 0;
  return t;
}

}  // namespace

ConvolutionFixedArguments convolution_of(const PooledConvolutionFixedArguments& a, void* memory) {
  ConvolutionFixedArguments convolution = a;
  convolution.dst = between(a, memory);
  return convolution;
}

int64_t between_bytes(const PooledConvolutionFixedArguments& a) {
  const CodeTensor t = between(a, nullptr);
  return t.images * t.image_stride * t.element_bytes();
}

MaxPoolingCodesArguments pooling_of(const PooledConvolutionFixedArguments& a, void* memory) {
  return {between(a, memory), a.dst, a.window};
}

void PooledConvolutionFixed::check(const Arguments& a) {
  // A place that is never accessed: what is checked are shapes and formats.
  ConvolutionFixed::check(convolution_of(a, a.dst.data));
  MaxPoolingCodes::check(pooling_of(a, a.dst.data));
}

void PooledConvolutionFixed::run(Context& context, const Arguments& a) {
  const AlignedBuffer memory(size_t(between_bytes(a)) + 64);
  ConvolutionFixed::run(context, convolution_of(a, memory.data()));
  MaxPoolingCodes::run(context, pooling_of(a, memory.data()));
}

}  // namespace ristretto
