// What a convolution's inputs, weights and biases add to a loss. The input's gradient is the transpose's
// forward pass; that of the weights a product over the output's pixels, cut into parts that are added in
// their order.
#include "core/op/convolution/convolution_gradient.h"

#include "core/op/convolution/deconvolution_gradient.h"
#include "cuda/convolve.h"
#include "cuda/fold.h"
#include "cuda/ops.h"
#include "cuda/parts.h"
#include "cuda/product_launch.h"
#include "cuda/weights_product.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

struct ChannelsJob {
  const float* src;
  float* sums;
  int64_t image_stride;
  unsigned pixels, count;  // of an image's plane, of all images'
};

// A block for each channel.
RISTRETTO_KERNEL(kThreads, 8)
add_channel_sums(ChannelsJob job) {
  const float* plane = job.src + int64_t{block_index()} * job.pixels;
  float sum = 0;
  for (unsigned i = unsigned(thread_index()); i < job.count; i += kThreads) {
    const unsigned image = i / job.pixels;
    sum += plane[image * job.image_stride + (i - image * job.pixels)];
  }
  const double total = block_fold(double(sum), 0.0, shared_memory<double>(), Sum());
  if (thread_index() == 0) job.sums[block_index()] += float(total);
}

// Images of `diff` that a launch takes.
template <class Launch>
void for_images(const Tensor& src, const Tensor& diff, const Launch& launch) {
  const int64_t most = images_at_once(src, diff);
  for (int64_t first = 0; first < src.images(); first += most) {
    const int64_t count = std::min(most, src.images() - first);
    launch(some_images(src, first, count), some_images(diff, first, count));
  }
}

void add_bias_gradient(Context& context, const Tensor& diff, const Tensor& bias_diff) {
  for_images(diff, diff, [&](const Tensor&, const Tensor& part) {
    const ChannelsJob job{part.f32(), bias_diff.f32(), part.image_stride, unsigned(part.count(2)),
                          unsigned(part.images() * part.count(2))};
    launch(context, "add_channel_sums", {int(diff.dim[1]), 1, 1}, kThreads, kThreads / kWarp * sizeof(double),
           add_channel_sums, job);
  });
}

void add_weights_gradient(Context& context, const ConvolutionGradientArguments& a) {
  const int64_t channels = a.src.dim[1] / a.group, outputs = a.dst_diff.dim[1] / a.group;
  const int64_t columns = a.weights.count(1), pixels = a.dst_diff.count(2);
  for_images(a.src, a.dst_diff, [&](const Tensor& src, const Tensor& diff) {
    WeightsProduct p;
    p.a_data = diff.f32();
    p.b_data = src.f32();
    p.a_group = outputs * pixels;
    p.b_group = channels * src.count(2);
    p.row_count = int(outputs);
    p.column_count = int(columns);
    p.depth_count = int(diff.images() * pixels);
    p.groups = int(a.group);
    p.pixels = unsigned(pixels);
    p.grid_width = unsigned(diff.dim[3]);
    p.a_image = int(diff.image_stride);
    p.a_row = int(pixels);
    p.b_image = int(src.image_stride);
    p.y_first = int(-a.pad_h), p.y_step = int(a.stride_h);
    p.x_first = int(-a.pad_w), p.x_step = int(a.stride_w);
    p.height = unsigned(src.dim[2]);
    p.width = unsigned(src.dim[3]);
    p.taps = unsigned(a.weights.count(2));
    p.taps_width = unsigned(a.weights.dim[3]);
    p.b_channel = int(src.count(2));
    p.y_tap = int(a.dilation_h), p.x_tap = int(a.dilation_w);
    p.sink_group = outputs * columns;
    p.out = {a.weights_diff.f32(), int(columns)};
    p.out.accumulate = true;
    const Parts parts = cut_depths(outputs, columns, a.group, p.depth_count);
    p.depth_part = parts.depths;
    const Sink sums = p.out;
    if (parts.count > 1) {
      p.sink_part = a.weights.count();
      p.out = {static_cast<float*>(context.scratch(size_t(parts.count * p.sink_part) * sizeof(float))),
               int(columns)};
    }
    launch_tiles<Lanes::depths, Lanes::depths>(context, "convolution_weights_gradient", p, parts.count);
    if (parts.count > 1)
      launch_parts(context, {p.out.data, parts.count, p.sink_part, unsigned(p.sink_part), sums});
  });
}

template <class To, class From>
To same_windows(const From& a) {
  To to;
  to.weights = a.weights;
  to.stride_h = a.stride_h, to.stride_w = a.stride_w, to.pad_h = a.pad_h, to.pad_w = a.pad_w;
  to.dilation_h = a.dilation_h, to.dilation_w = a.dilation_w;
  to.group = a.group;
  return to;
}

// The input's gradient of a convolution, and of its transpose.
DeconvolutionArguments data_gradient(const ConvolutionGradientArguments& a) {
  auto to = same_windows<DeconvolutionArguments>(a);
  to.src = a.dst_diff, to.dst = a.src_diff;
  return to;
}
ConvolutionArguments data_gradient(const DeconvolutionGradientArguments& a) {
  auto to = same_windows<ConvolutionArguments>(a);
  to.src = a.dst_diff, to.dst = a.src_diff;
  return to;
}

// The weights' gradient of a transposed convolution: of the convolution, input and output exchanged.
ConvolutionGradientArguments weights_gradient(const DeconvolutionGradientArguments& a) {
  auto to = same_windows<ConvolutionGradientArguments>(a);
  to.src = a.dst_diff, to.dst_diff = a.src, to.weights_diff = a.weights_diff;
  return to;
}

bool takes_weights(const ConvolutionGradientArguments& a) {
  return images_at_once(a.src, a.dst_diff) >= 1 && windows_fit(a, a.src);
}

}  // namespace

bool run(Context& context, const ConvolutionGradientArguments& a) {
  if (a.src.images() == 0) return true;
  if (!takes_weights(a) || (a.src_diff && !takes(data_gradient(a)))) return false;
  if (a.src_diff) run(context, data_gradient(a));
  if (a.weights_diff) add_weights_gradient(context, a);
  if (a.bias_diff) add_bias_gradient(context, a.dst_diff, a.bias_diff);
  return true;
}

bool run(Context& context, const DeconvolutionGradientArguments& a) {
  if (a.src.images() == 0) return true;
  if (!takes_weights(weights_gradient(a)) || (a.src_diff && !takes(data_gradient(a)))) return false;
  if (a.src_diff) run(context, data_gradient(a));
  if (a.weights_diff) add_weights_gradient(context, weights_gradient(a));
  if (a.bias_diff) add_bias_gradient(context, a.dst_diff, a.bias_diff);
  return true;
}

}  // namespace ristretto::cuda
