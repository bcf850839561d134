// col2im without two threads that add to one element: every element of an image adds up what the windows over
// it have for it, in the order of their taps, as the processor does.
#include "core/op/convolution/col2im.h"

#include <algorithm>

#include "cuda/divisor.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

// One axis of the windows.
struct Axis {
  int64_t taps, pad, dilation, windows;
  Divisor stride;
  // The window whose tap falls on `at`, or -1; `ended` where later taps fall in front of every window.
  RISTRETTO_DEVICE int64_t window(int64_t at, int64_t tap, bool& ended) const {
    const int64_t from = at + pad - tap * dilation;
    ended = from < 0;
    if (ended) return -1;
    const uint32_t w = stride.quotient(uint32_t(from));
    return int64_t{w} * stride.value() == from && w < windows ? int64_t{w} : -1;
  }
};

struct Col2imJob {
  const float* src;
  float* dst;
  int64_t src_stride, dst_stride;   // of images
  int64_t elements;                 // of all images
  Divisor width, height, channels;  // of them
  Axis rows, columns;
};

RISTRETTO_KERNEL(kThreads, 4)
add_windows_over(Col2imJob job) {
  const int64_t tap_stride = job.rows.windows * job.columns.windows;
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.elements;
       i += int64_t{kThreads} * blocks()) {
    const uint32_t line = job.width.quotient(uint32_t(i)), x = uint32_t(i) - line * job.width.value();
    const uint32_t plane = job.height.quotient(line), y = line - plane * job.height.value();
    const uint32_t n = job.channels.quotient(plane), c = plane - n * job.channels.value();
    const float* taps = job.src + n * job.src_stride + c * job.rows.taps * job.columns.taps * tap_stride;
    float sum = 0;
    for (int64_t r = 0; r < job.rows.taps; ++r) {
      bool above, before;
      const int64_t p = job.rows.window(y, r, above);
      if (above) break;
      if (p < 0) continue;
      for (int64_t s = 0; s < job.columns.taps; ++s) {
        const int64_t q = job.columns.window(x, s, before);
        if (before) break;
        if (q >= 0) sum += taps[(r * job.columns.taps + s) * tap_stride + p * job.columns.windows + q];
      }
    }
    const int64_t place = (int64_t{c} * job.height.value() + y) * job.width.value() + x;
    job.dst[n * job.dst_stride + place] = sum;
  }
}

}  // namespace

bool run(Context& context, const Col2imArguments& a) {
  Col2imJob job{};
  job.elements = a.dst.count();
  if (job.elements == 0) return true;
  if (!divisible(job.elements) || !divisible(a.dst.dim[2] + a.pad_h) || !divisible(a.dst.dim[3] + a.pad_w))
    return false;
  job.src = a.src.f32(), job.dst = a.dst.f32();
  job.src_stride = a.src.image_stride, job.dst_stride = a.dst.image_stride;
  job.width = Divisor(a.dst.dim[3]), job.height = Divisor(a.dst.dim[2]), job.channels = Divisor(a.dst.dim[1]);
  job.rows = {a.kernel_h, a.pad_h, a.dilation_h, a.src.dim[2], Divisor(a.stride_h)};
  job.columns = {a.kernel_w, a.pad_w, a.dilation_w, a.src.dim[3], Divisor(a.stride_w)};
  const int64_t wanted = (job.elements + kThreads - 1) / kThreads;
  const Grid grid{int(std::min(wanted, int64_t{16} * context.device().multiprocessors)), 1, 1};
  launch(context, "col2im", grid, kThreads, 0, add_windows_over, job);
  return true;
}

}  // namespace ristretto::cuda
