// Gradient of pooling, without two threads that add to one element: every element of the image adds up what
// the windows over it have for it, in the order of the windows. Maxima and samples are found first, once a
// window, and so are the sums of weighted windows.
#include "core/op/pooling/pooling_gradient.h"

#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/pool_window.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

// What weighted windows have for an element x: factor * (2 * x - mean).
struct Slope {
  // No mean of squares is negative: of a window that has nothing for anybody.
  static constexpr float kNone = -1;
  float mean, factor;
};

struct GradientJob {
  const float *src, *dst_diff;
  float* src_diff;
  Planes src_planes, dst_planes, diff_planes;
  PoolShape shape;
  Divisor width, height;  // of the image
  int64_t elements;       // of all images
  int32_t* places;        // of each window, in its plane; -1: none
  Slope* slopes;          // of each window
  RandomStream random;
  bool accumulate;
  float floor;  // what a maximum has to exceed
};

template <PoolingKind kKind, int kSize>
RISTRETTO_KERNEL(kThreads, 4)
find_places(GradientJob job) {
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.shape.windows;
       i += int64_t{kThreads} * blocks()) {
    const PoolWindow window = pool_window(job.shape, uint32_t(i));
    const float* plane = job.src + job.src_planes.at(window.n, window.c);
    int place;
    if constexpr (kKind == PoolingKind::max)
      maximum<kSize>(plane, job.shape, window, place, job.floor);
    else
      place = int(sampled_place(plane, job.shape.width, window.h, window.w,
                                random_word(job.random, job.random.first_element + uint64_t(i))));
    job.places[i] = place;
  }
}

RISTRETTO_KERNEL(kThreads, 4)
find_slopes(GradientJob job) {
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.shape.windows;
       i += int64_t{kThreads} * blocks()) {
    const PoolWindow window = pool_window(job.shape, uint32_t(i));
    const WeightedSums sums =
        weighted_sums(job.src + job.src_planes.at(window.n, window.c), job.shape, window);
    const float diff = job.dst_diff[job.dst_planes.at(window.n, window.c) + window.place];
    job.slopes[i] = sums.sum > 0 ? Slope{sums.squares / sums.sum, diff / sums.sum} : Slope{Slope::kNone, 0};
  }
}

// The windows along one axis that cover `x`: [begin, end).
struct Covering {
  int begin, end;
};
RISTRETTO_DEVICE Covering covering(int64_t x, int64_t stride, int64_t pad, int64_t kernel, int64_t windows) {
  const int64_t from = x + pad - kernel;  // one that starts here ends before x
  return {int(from < 0 ? 0 : from / stride + 1), int(std::min(windows, (x + pad) / stride + 1))};
}

// An element of the image, and where what its windows have for it is found.
struct Element {
  Covering columns;
  int64_t plane;  // of windows: the first one's number
  const float* diff;
  int place;
  float value;
};

// What the windows of row p have for an element, added to `sum`.
template <PoolingKind kKind>
RISTRETTO_DEVICE float add_row(const GradientJob& job, float sum, int p, const Element& e) {
  const int Q = int(job.shape.columns.value());
  if constexpr (kKind == PoolingKind::average) {
    const PoolShape& s = job.shape;
    const WindowSpan h = window_span(p, s.stride_h, s.pad_h, s.kernel_h, s.height);
    float row = 0;
    for (int q = e.columns.begin; q < e.columns.end; ++q) {
      const WindowSpan w = window_span(q, s.stride_w, s.pad_w, s.kernel_w, s.width);
      row += e.diff[p * Q + q] / (float(h.padded) * float(w.padded));
    }
    return sum + row;
  } else if constexpr (kKind == PoolingKind::weighted) {
    const Slope* slopes = job.slopes + e.plane;
    for (int q = e.columns.begin; q < e.columns.end; ++q) {
      const Slope slope = slopes[p * Q + q];
      if (slope.mean != Slope::kNone) sum += slope.factor * (2 * e.value - slope.mean);
    }
    return sum;
  } else {
    const int32_t* places = job.places + e.plane;
    for (int q = e.columns.begin; q < e.columns.end; ++q)
      if (places[p * Q + q] == e.place) sum += e.diff[p * Q + q];
    return sum;
  }
}

// Samples have places as maxima do.
template <PoolingKind kKind>
RISTRETTO_KERNEL(kThreads, 4)
gather_gradient(GradientJob job) {
  const PoolShape& s = job.shape;
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.elements;
       i += int64_t{kThreads} * blocks()) {
    const uint32_t line = job.width.quotient(uint32_t(i)), x = uint32_t(i) - line * job.width.value();
    const uint32_t plane = job.height.quotient(line), y = line - plane * job.height.value();
    const uint32_t n = s.channels.quotient(plane), c = plane - n * s.channels.value();
    const Covering rows = covering(y, s.stride_h, s.pad_h, s.kernel_h, s.rows.value());
    Element e;
    e.columns = covering(x, s.stride_w, s.pad_w, s.kernel_w, s.columns.value());
    e.plane = int64_t{plane} * s.rows.value() * s.columns.value();
    e.diff = job.dst_diff + job.dst_planes.at(n, c);
    e.place = int(y * job.width.value() + x);
    e.value = kKind == PoolingKind::weighted ? job.src[job.src_planes.at(n, c) + e.place] : 0.0f;
    float& out = job.src_diff[job.diff_planes.at(n, c) + e.place];
    float sum = job.accumulate ? out : 0.0f;
    for (int p = rows.begin; p < rows.end; ++p) sum = add_row<kKind>(job, sum, p, e);
    out = sum;
  }
}

Grid grid_of(const Context& context, int64_t count) {
  const int64_t most = int64_t{16} * context.device().multiprocessors;
  return {int(std::min(most, (count + kThreads - 1) / kThreads)), 1, 1};
}

void find(Context& context, const GradientJob& job, PoolingKind kind) {
  const Grid grid = grid_of(context, job.shape.windows);
  const int64_t size = job.shape.kernel_h == job.shape.kernel_w ? job.shape.kernel_h : 0;
  if (kind == PoolingKind::sampled)
    launch(context, "find_places", grid, kThreads, 0, find_places<PoolingKind::sampled, 0>, job);
  else if (size == 3)
    launch(context, "find_places", grid, kThreads, 0, find_places<PoolingKind::max, 3>, job);
  else if (size == 2)
    launch(context, "find_places", grid, kThreads, 0, find_places<PoolingKind::max, 2>, job);
  else
    launch(context, "find_places", grid, kThreads, 0, find_places<PoolingKind::max, 0>, job);
}

}  // namespace

bool run(Context& context, const PoolingGradientArguments& a) {
  if (!divisible(a.dst_diff.count()) || !divisible(a.src_diff.count())) return false;
  if (a.src_diff.count() == 0) return true;
  if (a.dst_diff.count() == 0) return false;
  GradientJob job{};
  job.src = a.src.f32(), job.dst_diff = a.dst_diff.f32(), job.src_diff = a.src_diff.f32();
  if (a.src) job.src_planes = Planes::of(a.src);
  job.dst_planes = Planes::of(a.dst_diff), job.diff_planes = Planes::of(a.src_diff);
  job.shape = pool_shape(a, a.src_diff, a.dst_diff);
  job.width = Divisor(a.src_diff.dim[3]), job.height = Divisor(a.src_diff.dim[2]);
  job.elements = a.src_diff.count();
  job.random = a.random;
  job.accumulate = a.accumulate;
  job.floor = a.rectified ? 0.0f : -FLT_MAX;
  const Grid grid = grid_of(context, job.elements);
  if (a.kind == PoolingKind::average) {
    launch(context, "gather_gradient", grid, kThreads, 0, gather_gradient<PoolingKind::average>, job);
  } else if (a.kind == PoolingKind::weighted) {
    job.slopes = static_cast<Slope*>(context.scratch(size_t(job.shape.windows) * sizeof(Slope)));
    launch(context, "find_slopes", grid_of(context, job.shape.windows), kThreads, 0, find_slopes, job);
    launch(context, "gather_gradient", grid, kThreads, 0, gather_gradient<PoolingKind::weighted>, job);
  } else {
    job.places = static_cast<int32_t*>(context.scratch(size_t(job.shape.windows) * sizeof(int32_t)));
    find(context, job, a.kind);
    launch(context, "gather_gradient", grid, kThreads, 0, gather_gradient<PoolingKind::max>, job);
  }
  return true;
}

}  // namespace ristretto::cuda
