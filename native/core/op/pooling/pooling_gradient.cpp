#include "pooling_gradient.h"

#include <algorithm>
#include <cfloat>

#include "../../cpu/pool_kernels.h"
#include "../check_tensor.h"
#include "sampled_window.h"

namespace ristretto {
namespace {

constexpr int64_t kMostParameter = int64_t{1} << 31;
// Bytes of parted rows that are worth a worker's scratch.
constexpr int64_t kMostScratch = 1 << 22;
// Bytes of diffs that no cache keeps for whoever reads them next, and of a plane that is worth a second-level
// cache.
constexpr int64_t kBeyondCaches = 64 << 20, kMostStaged = 256 << 10;

struct Plane {
  const float* src;
  const float* dst_diff;
  float* src_diff;
};

// What a maximum has to exceed.
float floor_of(const PoolingGradientArguments& a) { return a.rectified ? 0.0f : -FLT_MAX; }

void maximum(const PoolingGradientArguments& a, const Plane& plane) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  for (int64_t p = 0; p < P; ++p)
    for (int64_t q = 0; q < Q; ++q) {
      const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
      const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
      float best = floor_of(a);
      int64_t at = -1;
      for (int64_t y = h.begin; y < h.end; ++y)
        for (int64_t x = w.begin; x < w.end; ++x)
          if (plane.src[y * W + x] > best) best = plane.src[at = y * W + x];
      if (at >= 0) plane.src_diff[at] += plane.dst_diff[p * Q + q];
    }
}

// Rows of the padded image parted by the windows' stride (cpu/pool_kernels.h), each made once and kept while
// windows cover it.
class PartedRows {
 public:
  PartedRows(const PoolingGradientArguments& a)
      : width_(a.src_diff.dim[3]),
        pad_(a.pad_w),
        stride_(a.dst_diff.dim[3] == 1 ? 1 : a.stride_w),
        slots_(std::min((kPoolRows - 1) * a.stride_h + a.kernel_h, a.src_diff.dim[2])),
        padded_windows_((a.dst_diff.dim[3] + 15) / 16 * 16),
        phase_length_((pad_ + width_ - 1) / stride_ + 1 + padded_windows_) {}

  int64_t stride() const { return stride_; }
  int64_t phase_length() const { return phase_length_; }
  int64_t padded_windows() const { return padded_windows_; }
  int64_t slots() const { return slots_; }
  int64_t elements() const { return slots_ * stride_ * phase_length_; }

  void start(float* memory) {
    memory_ = memory;
    std::fill(memory, memory + elements(), -FLT_MAX);
  }
  float* row(int64_t y) const { return memory_ + y % slots_ * stride_ * phase_length_; }
  void make(const PoolKernels& kernels, int64_t y, const float* from) const {
    float* to = row(y);
    // Elements up to the first of phase 0; from there on whole groups of one element per phase.
    int64_t x = 0;
    for (; x < width_ && (x + pad_) % stride_; ++x)
      to[(x + pad_) % stride_ * phase_length_ + (x + pad_) / stride_] = from[x];
    to += (x + pad_) / stride_;
    from += x;
    const int64_t groups = (width_ - x) / stride_, rest = (width_ - x) % stride_;
    kernels.part(from, groups, stride_, to, phase_length_);
    for (int64_t f = 0; f < rest; ++f) to[f * phase_length_ + groups] = from[groups * stride_ + f];
  }

 private:
  int64_t width_, pad_, stride_, slots_, padded_windows_, phase_length_;
  float* memory_ = nullptr;
};

// Adds a row of windows' diffs to the elements that had the maxima. `corner`: the first window's first
// column, which padding puts before the image.
void scatter(const PoolingGradientArguments& a, int64_t row_step, const int32_t* place, const float* diff,
             float* corner) {
  const int64_t W = a.src_diff.dim[3], Q = a.dst_diff.dim[3], beyond = row_step - W;
  if (beyond == 0 && !a.accumulate) {
    // Without a branch, which ReLU's zeros would make a guess: nothing adds 0 to the window's first element,
    // which is not -0. Windows that start beyond the image have no place.
    const int64_t within = std::min(Q, (W - 1) / a.stride_w + 1);
    for (int64_t q = 0; q < within; ++q, corner += a.stride_w) {
      const bool none = place[q] == kNoPlace;
      corner[none ? 0 : place[q]] += none ? 0.0f : diff[q];
    }
    return;
  }
  for (int64_t q = 0; q < Q; ++q) {
    if (place[q] == kNoPlace) continue;
    const int64_t row = beyond ? place[q] / row_step : 0;
    corner[place[q] - row * beyond + q * a.stride_w] += diff[q];
  }
}

void maxima_by_row(const PoolingGradientArguments& a, const PoolKernels& kernels, const PartedRows& parted,
                   const Plane& plane, const float** rows, int32_t* places) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  PoolWindowRows windows{};
  windows.rows = rows;
  windows.width = std::min(a.kernel_w, a.pad_w + W);
  windows.stride = parted.stride(), windows.phase_length = parted.phase_length();
  windows.row_step = a.pad_w + W;  // above any column
  windows.count = Q;
  windows.floor = floor_of(a);
  const auto span = [&](int64_t p) { return window_span(p, a.stride_h, a.pad_h, a.kernel_h, H); };
  int64_t made = 0;
  // Several rows in each step: what one step has just stored, the next reads across stores.
  for (int64_t first = 0; first < P; first += kPoolRows) {
    const int64_t stop = std::min<int64_t>(P, first + kPoolRows);
    for (const int64_t end = span(stop - 1).end; made < end; ++made)
      parted.make(kernels, made, plane.src + made * W);
    for (int64_t p = first; p < stop; ++p) {
      const WindowSpan h = span(p);
      windows.height = std::max<int64_t>(0, h.end - h.begin);
      for (int64_t y = h.begin; y < h.end; ++y) rows[y - h.begin] = parted.row(y);
      kernels.places(windows, places + (p - first) * parted.padded_windows());
    }
    for (int64_t p = first; p < stop; ++p) {
      const WindowSpan h = span(p);
      if (h.empty()) continue;
      scatter(a, windows.row_step, places + (p - first) * parted.padded_windows(), plane.dst_diff + p * Q,
              plane.src_diff + h.begin * W - a.pad_w);
    }
  }
}

// What the windows of one row add up to along the width is the same for all rows of the image that they
// cover.
void average(const PoolingGradientArguments& a, const Plane& plane, float* row) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  for (int64_t p = 0; p < P; ++p) {
    const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
    if (h.empty()) continue;
    std::fill(row, row + W, 0.0f);
    for (int64_t q = 0; q < Q; ++q) {
      const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
      if (w.empty()) continue;
      const float share = plane.dst_diff[p * Q + q] / (float(h.padded) * float(w.padded));
      for (int64_t x = w.begin; x < w.end; ++x) row[x] += share;
    }
    for (int64_t y = h.begin; y < h.end; ++y)
      for (int64_t x = 0; x < W; ++x) plane.src_diff[y * W + x] += row[x];
  }
}

void weighted(const PoolingGradientArguments& a, const Plane& plane, WindowSpan h, WindowSpan w, float diff) {
  const int64_t W = a.src_diff.dim[3];
  float sum = 0, squares = 0;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x) {
      const float value = plane.src[y * W + x];
      sum += value;
      squares += value * value;
    }
  if (!(sum > 0)) return;
  const float mean = squares / sum, factor = diff / sum;
  for (int64_t y = h.begin; y < h.end; ++y)
    for (int64_t x = w.begin; x < w.end; ++x)
      plane.src_diff[y * W + x] += factor * (2 * plane.src[y * W + x] - mean);
}

void stochastic(const PoolingGradientArguments& a, const Plane& plane, uint64_t first) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  for (int64_t p = 0; p < P; ++p)
    for (int64_t q = 0; q < Q; ++q) {
      const WindowSpan h = window_span(p, a.stride_h, a.pad_h, a.kernel_h, H);
      const WindowSpan w = window_span(q, a.stride_w, a.pad_w, a.kernel_w, W);
      const float diff = plane.dst_diff[p * Q + q];
      if (a.kind == PoolingKind::weighted) {
        weighted(a, plane, h, w, diff);
        continue;
      }
      const int64_t at =
          sampled_place(plane.src, W, h, w, random_word(a.random, first + uint64_t(p * Q + q)));
      if (at >= 0) plane.src_diff[at] += diff;
    }
}

// body(plane, index) for each plane of the tensors.
template <class Body>
void for_planes(const PoolingGradientArguments& a, int64_t begin, int64_t end, const Body& body) {
  const int64_t C = a.src_diff.dim[1], pixels = a.src_diff.count(2), windows = a.dst_diff.count(2);
  for (int64_t i = begin; i < end; ++i) {
    const Plane plane{a.src ? a.src.image(i / C) + i % C * pixels : nullptr,
                      a.dst_diff.image(i / C) + i % C * windows, a.src_diff.image(i / C) + i % C * pixels};
    body(plane, i);
  }
}

void run_vectors(Context& context, const PoolingGradientArguments& a, const PoolKernels& kernels) {
  context.pool.for_range(
      a.src_diff.dim[0] * a.src_diff.dim[1], 1, [&](int64_t begin, int64_t end, int worker) {
        PartedRows parted(a);
        const int64_t pointers = parted.slots() * int64_t{sizeof(float*)};
        const int64_t places = kPoolRows * parted.padded_windows();
        const int64_t pixels = a.src_diff.count(2), all = a.src_diff.count() * int64_t{sizeof(float)};
        const bool staged = !a.accumulate && all > kBeyondCaches && 4 * pixels <= kMostStaged;
        const int64_t elements = places + parted.elements() + (staged ? pixels : 0);
        char* scratch = static_cast<char*>(context.scratch(worker, size_t(pointers + 4 * elements)));
        const float** rows = reinterpret_cast<const float**>(scratch);
        int32_t* place = reinterpret_cast<int32_t*>(scratch + pointers);
        float* memory = reinterpret_cast<float*>(place + places);
        parted.start(memory);
        for_planes(a, begin, end, [&](const Plane& plane, int64_t) {
          Plane near = plane;
          if (staged) near.src_diff = memory + parted.elements();
          if (!a.accumulate) std::fill(near.src_diff, near.src_diff + pixels, 0.0f);
          maxima_by_row(a, kernels, parted, near, rows, place);
          if (staged) kernels.copy_past_caches(near.src_diff, pixels, plane.src_diff);
        });
      });
}

template <const PoolKernels* (*kernels)()>
KernelRow<PoolingGradientArguments> vector_row(const char* name) {
  return {name,
          [](const PoolingGradientArguments& a, const CpuFeatures& features) {
            return kernels() && kernels()->supports(features) && a.kind == PoolingKind::max &&
                   a.kernel_w <= kMostScratch && a.stride_w <= kMostScratch && a.dst_diff.dim[3] > 0 &&
                   PartedRows(a).elements() <= kMostScratch / int64_t{sizeof(float)};
          },
          [](Context& context, const PoolingGradientArguments& a) { run_vectors(context, a, *kernels()); }};
}

}  // namespace

void PoolingGradient::check(const Arguments& a) {
  require_float(a.dst_diff, "dstDiff");
  require_float(a.src_diff, "srcDiff");
  require(a.src_diff.rank == 4 && a.dst_diff.rank == 4, "srcDiff ", a.src_diff.shape_text(), " and dstDiff ",
          a.dst_diff.shape_text(), " must have four axes");
  require(a.src_diff.dim[0] == a.dst_diff.dim[0] && a.src_diff.dim[1] == a.dst_diff.dim[1], "srcDiff ",
          a.src_diff.shape_text(), " and dstDiff ", a.dst_diff.shape_text(), " differ in images or channels");
  require(a.src_diff.dim[2] * a.src_diff.dim[3] < kMostParameter, "srcDiff ", a.src_diff.shape_text(),
          " has planes too large");
  if (a.kind != PoolingKind::average) {
    require_float(a.src, "src");
    require_same_shape(a.src, "src", a.src_diff, "srcDiff");
  }
  for (int64_t value : {a.kernel_h, a.kernel_w, a.stride_h, a.stride_w})
    require(value >= 1 && value < kMostParameter, value, " is not a kernel's or stride's length");
  require(a.pad_h >= 0 && a.pad_w >= 0 && a.pad_h < a.kernel_h && a.pad_w < a.kernel_w, "padding ", a.pad_h,
          " x ", a.pad_w, " must be less than the kernel ", a.kernel_h, " x ", a.kernel_w);
  require(a.src_diff.data != a.dst_diff.data, "pooling cannot run in place");
  require(!a.rectified || (a.kind == PoolingKind::max && !a.accumulate),
          "a ReLU's gradient goes with that of maxima alone, which overwrites");
}

void pooling_gradient_ref(Context& context, const PoolingGradientArguments& a) {
  context.pool.for_range(a.src_diff.dim[0] * a.src_diff.dim[1], 1, [&](int64_t begin, int64_t end, int) {
    std::vector<float> row(size_t(a.src_diff.dim[3]));
    for_planes(a, begin, end, [&](const Plane& plane, int64_t index) {
      if (!a.accumulate) std::fill(plane.src_diff, plane.src_diff + a.src_diff.count(2), 0.0f);
      if (a.kind == PoolingKind::max)
        maximum(a, plane);
      else if (a.kind == PoolingKind::average)
        average(a, plane, row.data());
      else
        stochastic(a, plane, a.random.first_element + uint64_t(index * a.dst_diff.count(2)));
    });
  });
}

const std::vector<KernelRow<PoolingGradientArguments>>& PoolingGradient::rows() {
  static const std::vector<KernelRow<PoolingGradientArguments>> rows = {
      vector_row<pool_kernels_avx512>("avx512"),
      vector_row<pool_kernels_avx2>("avx2"),
      vector_row<pool_kernels_portable>("portable"),
      {"ref", [](const PoolingGradientArguments&, const CpuFeatures&) { return true; }, pooling_gradient_ref},
  };
  return rows;
}

void PoolingGradient::run(Context& context, const Arguments& a) {
  if (a.src_diff.count() == 0) return;
  select_kernel(rows(), a, context.features).run(context, a);
}

}  // namespace ristretto
