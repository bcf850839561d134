#include "col2im.h"

#include <algorithm>

#include "../check_tensor.h"

namespace ristretto {

namespace {

// Far above any net's, low enough that products of them with a tensor's sizes stay in 64 bits.
constexpr int64_t kMostParameter = int64_t{1} << 20;

void check_axis(const char* name, int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation,
                int64_t windows) {
  require(kernel >= 1 && kernel <= kMostParameter, "kernel ", kernel, " along ", name);
  require(stride >= 1 && stride <= kMostParameter, "stride ", stride, " along ", name);
  require(dilation >= 1 && dilation <= kMostParameter, "dilation ", dilation, " along ", name);
  require(pad >= 0 && pad <= kMostParameter, "padding ", pad, " along ", name);
  const int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
  require(room >= 0 && windows == room / stride + 1, windows, " windows do not fit the ", size,
          " pixels along ", name);
}

}  // namespace

void add_windows(const WindowGrid& g, const float* columns, float* plane) {
  for (int64_t r = 0; r < g.R; ++r)
    for (int64_t s = 0; s < g.S; ++s, columns += g.P * g.Q) {
      const int64_t x0 = s * g.dilation_w - g.pad_w;
      const int64_t q0 = x0 >= 0 ? 0 : (-x0 + g.stride_w - 1) / g.stride_w;
      const int64_t q1 = std::min(g.Q, g.W - 1 - x0 < 0 ? 0 : (g.W - 1 - x0) / g.stride_w + 1);
      for (int64_t p = 0; p < g.P; ++p) {
        const int64_t y = p * g.stride_h - g.pad_h + r * g.dilation_h;
        if (y < 0 || y >= g.H) continue;
        float* row = plane + y * g.W + x0;
        for (int64_t q = q0; q < q1; ++q) row[q * g.stride_w] += columns[p * g.Q + q];
      }
    }
}

void Col2im::check(const Arguments& a) {
  require_float(a.src, "src");
  require_float(a.dst, "dst");
  require(a.src.rank == 4 && a.dst.rank == 4, "src ", a.src.shape_text(), " and dst ", a.dst.shape_text(),
          " must have four axes");
  check_axis("height", a.dst.dim[2], a.kernel_h, a.stride_h, a.pad_h, a.dilation_h, a.src.dim[2]);
  check_axis("width", a.dst.dim[3], a.kernel_w, a.stride_w, a.pad_w, a.dilation_w, a.src.dim[3]);
  require(a.src.dim[0] == a.dst.dim[0] && a.src.dim[1] == a.dst.dim[1] * a.kernel_h * a.kernel_w, "src ",
          a.src.shape_text(), " does not hold the windows of ", a.kernel_h, " x ", a.kernel_w, " of dst ",
          a.dst.shape_text());
}

void Col2im::run(Context& context, const Arguments& a) {
  const int64_t C = a.dst.dim[1], pixels = a.dst.dim[2] * a.dst.dim[3];
  const WindowGrid grid{a.dst.dim[2], a.dst.dim[3], a.src.dim[2], a.src.dim[3], a.kernel_h,   a.kernel_w,
                        a.stride_h,   a.stride_w,   a.pad_h,      a.pad_w,      a.dilation_h, a.dilation_w};
  const int64_t columns = grid.R * grid.S * grid.P * grid.Q;
  context.pool.for_range(a.dst.images() * C, std::max<int64_t>(1, 16384 / columns),
                         [&](int64_t begin, int64_t end, int) {
                           for (int64_t i = begin; i < end; ++i) {
                             float* plane = a.dst.image(i / C) + i % C * pixels;
                             std::fill(plane, plane + pixels, 0.0f);
                             add_windows(grid, a.src.image(i / C) + i % C * columns, plane);
                           }
                         });
}

}  // namespace ristretto
