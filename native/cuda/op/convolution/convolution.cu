// Convolutions and their transposes as products over windows (native/cuda/window_product.h). A trim of the
// input goes through scratch memory first; that of the output is part of the product's epilogue.
#include <algorithm>
#include <numeric>

#include "cuda/convolve.h"
#include "cuda/ops.h"
#include "cuda/window_product.h"

namespace ristretto::cuda {

namespace {

// As the sums read it: trimmed into scratch memory, or where it is.
template <class Arguments>
Tensor source(Context& context, const Arguments& a) {
  if (!a.src_trim) return a.src;
  TrimArguments trim;
  trim.src = trim.dst = a.src;
  trim.dst.data = context.scratch(size_t(a.src.count()) * sizeof(float));
  trim.dst.image_stride = a.src.image_count();
  trim.format = a.src_trim;
  trim.random = a.src_random;
  run(context, trim);
  return trim.dst;
}

// What a convolution and its transpose have in common; `channels` and `outputs` are those of one group.
template <class Arguments>
WindowProduct window_product(const Context& context, const Arguments& a, const Tensor& src, const Tensor& dst,
                             int64_t first_image) {
  const int64_t channels = src.dim[1] / a.group, outputs = dst.dim[1] / a.group;
  const int64_t src_plane = src.count(2), dst_plane = dst.count(2);
  WindowProduct p;
  p.a_data = a.weights.f32();
  p.b_data = src.f32();
  p.a_group = channels * outputs * a.weights.count(2);
  p.b_group = channels * src_plane;
  p.sink_group = outputs * dst_plane;
  p.groups = int(a.group);
  p.row_count = int(outputs);
  p.b_image = int(row_stride(src));
  p.b_channel = int(src_plane);
  p.height = unsigned(src.dim[2]);
  p.width = unsigned(src.dim[3]);
  p.out.data = dst.f32();
  p.out.row = int(dst_plane);
  p.out.bias = a.bias ? a.bias.f32() : nullptr;
  p.out.relu = a.relu;
  p.out.trim = {a.dst_trim, a.dst_random, context.nan_report()};
  p.out.trim.random.first_element += uint64_t(first_image * dst.image_count());
  p.out.element_row = dst_plane;
  p.element_image = dst.image_count();
  p.out_image = int(row_stride(dst));
  return p;
}

template <class Arguments, class Launch>
void for_images(Context& context, const Arguments& a, const Launch& launch) {
  const Tensor src = source(context, a);
  const int64_t most = images_at_once(src, a.dst);
  for (int64_t first = 0; first < src.images(); first += most) {
    const int64_t count = std::min(most, src.images() - first);
    const Tensor from = some_images(src, first, count), to = some_images(a.dst, first, count);
    launch(window_product(context, a, from, to, first), count);
  }
}

// One residue of the output's rows, or columns, by the stride: which of them, and which taps reach them.
struct Phase {
  int64_t first, count;       // first, first + stride, …
  int64_t tap, step, taps;    // tap, tap + step, …
  int64_t source, tap_moves;  // the source row of the first tap, and from one tap to the next
};

Phase phase_of(int64_t first, int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  Phase p{};
  p.first = first;
  p.count = (size - first + stride - 1) / stride;
  p.step = stride / std::gcd(stride, dilation);
  while (p.tap < std::min(p.step, kernel) && (first + pad - p.tap * dilation) % stride != 0) ++p.tap;
  if (p.tap >= std::min(p.step, kernel)) return p;  // no tap does
  p.taps = (kernel - p.tap + p.step - 1) / p.step;
  p.source = (first + pad - p.tap * dilation) / stride;
  p.tap_moves = -p.step * dilation / stride;
  return p;
}

// Of the transposed stride: a launch for each.
constexpr int64_t kMostPhases = 64;

}  // namespace

bool takes(const ConvolutionArguments& a) {
  return images_at_once(a.src, a.dst) >= 1 && windows_fit(a, a.src);
}

bool takes(const DeconvolutionArguments& a) {
  return images_at_once(a.src, a.dst) >= 1 && windows_fit(a, a.dst) && a.stride_h <= kMostPhases &&
         a.stride_w <= kMostPhases / a.stride_h;
}

bool run(Context& context, const ConvolutionArguments& a) {
  if (a.dst.count() == 0) return true;
  if (!takes(a)) return false;
  const int64_t R = a.weights.dim[2], S = a.weights.dim[3];
  for_images(context, a, [&](WindowProduct p, int64_t images) {
    p.depth_count = p.depth_part = int(a.weights.count(1));
    p.pixels = unsigned(a.dst.count(2));
    p.grid_width = unsigned(a.dst.dim[3]);
    p.column_count = int(images * p.pixels);
    p.y_first = int(-a.pad_h), p.y_step = int(a.stride_h);
    p.x_first = int(-a.pad_w), p.x_step = int(a.stride_w);
    p.taps = unsigned(R * S);
    p.taps_width = unsigned(S);
    p.y_tap = int(a.dilation_h), p.x_tap = int(a.dilation_w);
    p.a_row = p.depth_count;
    p.a_channel = int(R * S), p.a_tap_y = int(S), p.a_tap_x = 1;
    p.out_y = int(a.dst.dim[3]);
    launch_product(context, "convolution", Lanes::depths, Lanes::rows, p);
  });
  return true;
}

bool run(Context& context, const DeconvolutionArguments& a) {
  if (a.dst.count() == 0 || a.src.count() == 0) return true;
  if (!takes(a)) return false;
  const int64_t H = a.dst.dim[2], W = a.dst.dim[3], R = a.weights.dim[2], S = a.weights.dim[3];
  const int64_t channels = a.src.dim[1] / a.group;
  for_images(context, a, [&](WindowProduct p, int64_t images) {
    for (int64_t row = 0; row < std::min(a.stride_h, H); ++row)
      for (int64_t column = 0; column < std::min(a.stride_w, W); ++column) {
        const Phase y = phase_of(row, H, R, a.stride_h, a.pad_h, a.dilation_h);
        const Phase x = phase_of(column, W, S, a.stride_w, a.pad_w, a.dilation_w);
        p.depth_count = p.depth_part = int(channels * y.taps * x.taps);
        p.pixels = unsigned(y.count * x.count);
        p.grid_width = unsigned(x.count);
        p.column_count = int(images * p.pixels);
        p.y_first = int(y.source), p.x_first = int(x.source);
        p.taps = unsigned(y.taps * x.taps);
        p.taps_width = unsigned(x.taps);
        p.y_tap = int(y.tap_moves), p.x_tap = int(x.tap_moves);
        p.a_row = int(R * S);
        p.a_channel = int(p.row_count * R * S);
        p.a_first = int(y.tap * S + x.tap), p.a_tap_y = int(y.step * S), p.a_tap_x = int(x.step);
        p.out_first = int(y.first * W + x.first);
        p.out_y = int(a.stride_h * W), p.out_x = int(a.stride_w);
        launch_product(context, "deconvolution", R * S == 1 ? Lanes::rows : Lanes::depths, Lanes::rows, p);
      }
  });
  return true;
}

}  // namespace ristretto::cuda
