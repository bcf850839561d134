#include "pooling_gradient.h"

#include <algorithm>
#include <cfloat>

#include "../cpu/pool_kernels.h"
#include "check_tensor.h"
#include "sampled_window.h"

namespace ristretto {
namespace {

constexpr int64_t kMostParameter = int64_t{1} << 31;
// Bytes of parted rows that are worth a worker's scratch.
constexpr int64_t kMostScratch = 1 << 22;

// Windows over one element along a row, of which each costs a vector's look.
constexpr int64_t kMostGathered = 8;

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
        slots_(std::min(a.kernel_h, a.src_diff.dim[2])),
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
  void make(int64_t y, const float* from) const {
    float* to = row(y);
    // Elements up to the first of phase 0; from there on whole groups of one element per phase.
    int64_t x = 0;
    for (; x < width_ && (x + pad_) % stride_; ++x)
      to[(x + pad_) % stride_ * phase_length_ + (x + pad_) / stride_] = from[x];
    to += (x + pad_) / stride_;
    from += x;
    const int64_t groups = (width_ - x) / stride_, rest = (width_ - x) % stride_;
    if (stride_ == 2)
      for (int64_t i = 0; i < groups; ++i) to[i] = from[2 * i], to[phase_length_ + i] = from[2 * i + 1];
    else
      for (int64_t f = 0; f < stride_; ++f)
        for (int64_t i = 0; i < groups; ++i) to[f * phase_length_ + i] = from[i * stride_ + f];
    for (int64_t f = 0; f < rest; ++f) to[f * phase_length_ + groups] = from[groups * stride_ + f];
  }
  // The opposite.
  void join(const float* from, float* to) const {
    int64_t x = 0;
    for (; x < width_ && (x + pad_) % stride_; ++x)
      to[x] = from[(x + pad_) % stride_ * phase_length_ + (x + pad_) / stride_];
    from += (x + pad_) / stride_;
    to += x;
    const int64_t groups = (width_ - x) / stride_, rest = (width_ - x) % stride_;
    if (stride_ == 2)
      for (int64_t i = 0; i < groups; ++i) to[2 * i] = from[i], to[2 * i + 1] = from[phase_length_ + i];
    else
      for (int64_t f = 0; f < stride_; ++f)
        for (int64_t i = 0; i < groups; ++i) to[i * stride_ + f] = from[f * phase_length_ + i];
    for (int64_t f = 0; f < rest; ++f) to[groups * stride_ + f] = from[f * phase_length_ + groups];
  }

 private:
  int64_t width_, pad_, stride_, slots_, padded_windows_, phase_length_;
  float* memory_ = nullptr;
};

// The rows of windows of one plane from the top: where their maxima are.
class RowsOfWindows {
 public:
  RowsOfWindows(const PoolingGradientArguments& a, const PoolKernels& kernels, const PartedRows& parted,
                const Plane& plane, const float** rows)
      : a_(a), kernels_(kernels), parted_(parted), plane_(plane), rows_(rows) {
    windows_.rows = rows;
    windows_.width = std::min(a.kernel_w, a.pad_w + a.src_diff.dim[3]);
    windows_.stride = parted.stride(), windows_.phase_length = parted.phase_length();
    windows_.row_step = a.pad_w + a.src_diff.dim[3];  // above any column
    windows_.count = a.dst_diff.dim[3];
    windows_.floor = floor_of(a);
  }

  int64_t width() const { return windows_.width; }
  int64_t row_step() const { return windows_.row_step; }
  // A place is relative to the window's first column and to row `span(p).begin`.
  WindowSpan span(int64_t p) const {
    return window_span(p, a_.stride_h, a_.pad_h, a_.kernel_h, a_.src_diff.dim[2]);
  }
  // Rows come in order; one whose windows hold no part of the image has no places.
  void find(int64_t p, int32_t* place) {
    const WindowSpan h = span(p);
    const int64_t W = a_.src_diff.dim[3];
    for (made_ = std::max(made_, h.begin); made_ < h.end; ++made_)
      parted_.make(made_, plane_.src + made_ * W);
    windows_.height = std::max<int64_t>(0, h.end - h.begin);
    for (int64_t y = h.begin; y < h.end; ++y) rows_[y - h.begin] = parted_.row(y);
    kernels_.places(windows_, place);
  }

 private:
  const PoolingGradientArguments& a_;
  const PoolKernels& kernels_;
  const PartedRows& parted_;
  const Plane& plane_;
  const float** rows_;
  PoolWindowRows windows_{};
  int64_t made_ = 0;
};

// From window to element.
void scatter(const PoolingGradientArguments& a, RowsOfWindows& windows, const Plane& plane, int32_t* place) {
  const int64_t W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  const int64_t beyond = windows.row_step() - W;
  if (!a.accumulate) std::fill(plane.src_diff, plane.src_diff + a.src_diff.count(2), 0.0f);
  for (int64_t p = 0; p < P; ++p) {
    windows.find(p, place);
    const float* diff = plane.dst_diff + p * Q;
    float* corner = plane.src_diff + windows.span(p).begin * W - a.pad_w;
    for (int64_t q = 0; q < Q; ++q) {
      if (place[q] == kNoPlace) continue;
      const int64_t row = beyond ? place[q] / windows.row_step() : 0;
      corner[place[q] - row * beyond + q * a.stride_w] += diff[q];
    }
  }
}

// From element to window: rows of windows with their diffs, as long as they cover rows of the image to come.
class CoveringRows {
 public:
  CoveringRows(const PoolingGradientArguments& a, const PartedRows& parted)
      : rows_((a.kernel_h - 1) / a.stride_h + 1),
        before_((a.kernel_w - 1) / a.stride_w),
        length_(before_ + parted.phase_length() + 16),
        out_(parted.stride() * parted.phase_length() + 16) {}

  // Of four bytes, pointers behind them.
  int64_t elements() const { return 2 * rows_ * length_ + out_ + rows_; }
  int64_t pointers() const { return 2 * rows_; }

  void start(int32_t* memory, const void** pointers) {
    place_ = memory;
    diff_ = reinterpret_cast<float*>(memory + rows_ * length_);
    out = diff_ + rows_ * length_;
    first = reinterpret_cast<int32_t*>(out + out_);
    places = reinterpret_cast<const int32_t**>(pointers);
    diffs = reinterpret_cast<const float**>(pointers + rows_);
    std::fill(place_, place_ + rows_ * length_, kNoPlace);
    std::fill(diff_, diff_ + rows_ * length_, 0.0f);
  }
  int32_t* place(int64_t p) const { return place_ + p % rows_ * length_ + before_; }
  float* diff(int64_t p) const { return diff_ + p % rows_ * length_ + before_; }

  float* out = nullptr;
  int32_t* first = nullptr;
  const int32_t** places = nullptr;
  const float** diffs = nullptr;

 private:
  int64_t rows_, before_, length_, out_;
  int32_t* place_ = nullptr;
  float* diff_ = nullptr;
};

void gather(const PoolingGradientArguments& a, const PoolKernels& kernels, const PartedRows& parted,
            RowsOfWindows& windows, const CoveringRows& covering, const Plane& plane) {
  const int64_t H = a.src_diff.dim[2], W = a.src_diff.dim[3], P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  PoolCoveringRows c{covering.places, covering.diffs,  covering.first,       0,
                     windows.width(), parted.stride(), parted.phase_length()};
  int64_t y = 0;
  for (int64_t p = 0; p < P; ++p) {
    windows.find(p, covering.place(p));
    std::copy(plane.dst_diff + p * Q, plane.dst_diff + (p + 1) * Q, covering.diff(p));
    // Up to the first row that the next windows cover.
    const int64_t end = p + 1 == P ? H : std::min(H, windows.span(p + 1).begin);
    for (; y < end; ++y) {
      const int64_t above = y + a.pad_h - a.kernel_h;  // windows that start here end before y
      c.rows = 0;
      for (int64_t i = above < 0 ? 0 : above / a.stride_h + 1; i <= p; ++i, ++c.rows) {
        covering.places[c.rows] = covering.place(i), covering.diffs[c.rows] = covering.diff(i);
        covering.first[c.rows] = int32_t((y - windows.span(i).begin) * windows.row_step());
      }
      kernels.gradient_row(c, covering.out);
      parted.join(covering.out, plane.src_diff + y * W);
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
  const PartedRows shape(a);
  const CoveringRows covering_shape(a, shape);
  const bool gathers = !a.accumulate && a.dst_diff.dim[3] > 1 && a.kernel_w <= kMostGathered * a.stride_w &&
                       a.kernel_h <= kMostGathered * a.stride_h;
  const int64_t pointers = shape.slots() + (gathers ? covering_shape.pointers() : 0);
  const int64_t elements = shape.elements() + (gathers ? covering_shape.elements() : shape.padded_windows());
  const size_t bytes = size_t(pointers) * sizeof(void*) + size_t(elements) * sizeof(float);
  context.pool.for_range(
      a.src_diff.dim[0] * a.src_diff.dim[1], 1, [&](int64_t begin, int64_t end, int worker) {
        const void** rows = static_cast<const void**>(context.scratch(worker, bytes));
        float* memory = reinterpret_cast<float*>(rows + pointers);
        PartedRows parted = shape;
        parted.start(memory);
        int32_t* places = reinterpret_cast<int32_t*>(memory + parted.elements());
        CoveringRows covering = covering_shape;
        if (gathers) covering.start(places, rows + parted.slots());
        for_planes(a, begin, end, [&](const Plane& plane, int64_t) {
          RowsOfWindows windows(a, kernels, parted, plane, reinterpret_cast<const float**>(rows));
          if (gathers)
            gather(a, kernels, parted, windows, covering, plane);
          else
            scatter(a, windows, plane, places);
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
