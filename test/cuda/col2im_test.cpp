// col2im: on the device as on the processor, bit for bit, slices and windows of any kind.
#include "core/op/convolution/col2im.h"

#include "../native/code_cases.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Axis {
  int64_t size, kernel, stride, pad, dilation, windows;
};

Axis any_axis(cases::Random& random) {
  Axis a{};
  a.kernel = random.integer(1, 4), a.stride = random.integer(1, 3);
  a.pad = random.integer(0, 3), a.dilation = random.integer(1, 3);
  const int64_t reach = a.dilation * (a.kernel - 1) + 1;
  a.size = std::max<int64_t>(random.integer(1, 12), reach - 2 * a.pad);
  a.windows = (a.size + 2 * a.pad - reach) / a.stride + 1;
  return a;
}

}  // namespace

TEST(windows_add_up_as_the_processors) {
  cases::Random random(1);
  for (int i = 0; i < 150; ++i) {
    const Axis h = any_axis(random), w = any_axis(random);
    const int64_t N = random.integer(0, 3), C = random.integer(0, 5);
    const int64_t gap = random.integer(0, 1) ? 0 : random.integer(1, 9);
    Twin src({N, C * h.kernel * w.kernel, h.windows, w.windows}, uint32_t(i), gap),
        dst({N, C, h.size, w.size}, 2, gap);
    run_both<Col2im>([&](bool device) {
      return Col2imArguments{src.tensor(device), dst.tensor(device), h.kernel, w.kernel,
                             h.stride,           w.stride,           h.pad,    w.pad,
                             h.dilation,         w.dilation};
    });
    dst.check_equal("images ", N, " x ", C, " of ", h.size, " x ", w.size, " taps ", h.kernel, " x ",
                    w.kernel, " strides ", h.stride, ", ", w.stride, " pads ", h.pad, ", ", w.pad,
                    " dilations ", h.dilation, ", ", w.dilation);
  }
}
