// Bodies of the pooling kernels over a vector type `Simd` (simd_*.h) that also has div, even(a, b) (the elements
// of even index of a followed by b), and store_past_caches() to an aligned place with the fence() it needs.
// Included once per instruction set, inside its target brackets and its own anonymous namespace.

struct MaxStep {
  static constexpr float identity = -3.402823466e+38f;
  static constexpr bool mean = false;
  static float step(float acc, float x) { return x > acc ? x : acc; }
  // In this order a NaN never wins and the first of equals stays.
  template <class Simd>
  static typename Simd::V step(typename Simd::V acc, typename Simd::V x) {
    return Simd::max(x, acc);
  }
};

struct MeanStep {
  static constexpr float identity = 0.0f;
  static constexpr bool mean = true;
  static float step(float acc, float x) { return acc + x; }
  template <class Simd>
  static typename Simd::V step(typename Simd::V acc, typename Simd::V x) {
    return Simd::add(acc, x);
  }
};

// The whole plane as one window.
template <class Simd, class Step>
void pool_whole(const PoolPlane& p) {
  const int64_t count = p.height * p.width;
  float result = Step::identity;
  int64_t i = 0;
  if (count >= Simd::lanes) {
    typename Simd::V acc = Simd::set1(Step::identity);
    for (; i + Simd::lanes <= count; i += Simd::lanes)
      acc = Step::template step<Simd>(acc, Simd::load(p.src + i));
    float lanes[Simd::lanes];
    Simd::store(lanes, acc);
    for (float lane : lanes) result = Step::step(result, lane);
  }
  for (; i < count; ++i) result = Step::step(result, p.src[i]);
  p.dst[0] = Step::mean ? result / float(count) : result;
}

// Rows [begin, end) of the image into `row`.
template <class Simd, class Step>
void pool_down(const PoolPlane& p, int64_t begin, int64_t end, float* row) {
  constexpr int lanes = Simd::lanes;
  const int64_t width = p.width;
  const float* first = p.src + begin * width;
  const int64_t rows = end - begin;
  if (rows <= 0) {
    for (int64_t x = 0; x < width; ++x) row[x] = Step::identity;
    return;
  }
  if (width < lanes) {
    for (int64_t x = 0; x < width; ++x) {
      float acc = Step::identity;
      for (int64_t y = 0; y < rows; ++y) acc = Step::step(acc, first[y * width + x]);
      row[x] = acc;
    }
    return;
  }
  for (int64_t x = 0;;) {
    typename Simd::V acc = Simd::set1(Step::identity);
    for (int64_t y = 0; y < rows; ++y)
      acc = Step::template step<Simd>(acc, Simd::load(first + y * width + x));
    Simd::store(row + x, acc);
    if (x + lanes >= width) return;
    x = x + 2 * lanes <= width ? x + lanes : width - lanes;
  }
}

// Consecutive windows along `row`, one per lane; stride 1 or 2. Kernel 0: any.
template <class Simd, class Step, int Kernel, int Stride>
inline __attribute__((always_inline)) typename Simd::V pool_along(const float* from, int64_t kernel) {
  typename Simd::V acc = Simd::set1(Step::identity);
  const int64_t length = Kernel ? Kernel : kernel;
#pragma GCC unroll 4
  for (int64_t j = 0; j < length; ++j)
    acc = Step::template step<Simd>(
        acc, Stride == 1 ? Simd::load(from + j)
                         : Simd::even(Simd::load(from + j), Simd::load(from + j + Simd::lanes)));
  return acc;
}

inline float mean_of(float sum, float area) { return area > 0 ? sum / area : 0.0f; }

template <class Simd, class Step>
void pool_row_scalar(const PoolPlane& p, const float* row, float window_height, float* dst) {
  for (int64_t q = 0; q < p.out_width; ++q) {
    float acc = Step::identity;
    for (int64_t j = 0; j < p.kernel_w; ++j) acc = Step::step(acc, row[q * p.stride_w + j]);
    dst[q] = Step::mean ? mean_of(acc, window_height * p.widths[q]) : acc;
  }
}

template <class Simd, class Step, int Kernel, int Stride>
void pool_row(const PoolPlane& p, const float* row, float window_height, float* dst) {
  constexpr int lanes = Simd::lanes;
  const int64_t Q = p.out_width;
  if (Q < lanes) {
    float edge[lanes];
    Simd::store(edge, pool_along<Simd, Step, Kernel, Stride>(row, p.kernel_w));
    for (int64_t q = 0; q < Q; ++q)
      dst[q] = Step::mean ? mean_of(edge[q], window_height * p.widths[q]) : edge[q];
    return;
  }
  for (int64_t q = 0;;) {
    typename Simd::V value = pool_along<Simd, Step, Kernel, Stride>(row + q * Stride, p.kernel_w);
    if (Step::mean) value = Simd::div(value, Simd::mul(Simd::set1(window_height), Simd::load(p.widths + q)));
    Simd::store(dst + q, value);
    if (q + lanes >= Q) break;
    q = q + 2 * lanes <= Q ? q + lanes : Q - lanes;  // the last vector overlaps the one before
  }
}

template <class Simd, class Step>
void pool_plane(const PoolPlane& p) {
  if (p.out_height == 1 && p.out_width == 1 && p.pad_h == 0 && p.pad_w == 0 && p.kernel_h >= p.height &&
      p.kernel_w >= p.width)
    return pool_whole<Simd, Step>(p);
  const int64_t Q = p.out_width;
  using Row = void (*)(const PoolPlane&, const float*, float, float*);
  Row along = pool_row_scalar<Simd, Step>;
  // A window that starts beyond the image has width 0; only the scalar division knows what to do then.
  if (Q > 1 && (!Step::mean || p.widths[Q - 1] > 0)) {
    if (p.stride_w == 1) along = p.kernel_w == 3 ? pool_row<Simd, Step, 3, 1> : pool_row<Simd, Step, 0, 1>;
    if (p.stride_w == 2) along = p.kernel_w == 3 ? pool_row<Simd, Step, 3, 2> : pool_row<Simd, Step, 0, 2>;
  }
  for (int64_t first = 0; first < p.out_height; first += kPoolRows) {
    const int64_t rows = p.out_height - first < kPoolRows ? p.out_height - first : kPoolRows;
    float heights[kPoolRows];
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t start = (first + i) * p.stride_h - p.pad_h;
      int64_t stop = start + p.kernel_h;
      if (stop > p.height + p.pad_h) stop = p.height + p.pad_h;
      heights[i] = start < p.height ? float(stop - start) : 0.0f;
      pool_down<Simd, Step>(p, start > 0 ? start : 0, stop < p.height ? stop : p.height,
                            p.rows + i * p.row_length + p.pad_w);
    }
    for (int64_t i = 0; i < rows; ++i) {
      const Row one = Step::mean && heights[i] == 0 ? pool_row_scalar<Simd, Step> : along;
      one(p, p.rows + i * p.row_length, heights[i], p.dst + (first + i) * Q);
    }
  }
}

template <class Simd>
void copy_past_caches(const float* from, int64_t count, float* to) {
  constexpr int64_t bytes = Simd::lanes * int64_t{sizeof(float)};
  int64_t i = 0;
  for (; i < count && reinterpret_cast<uintptr_t>(to + i) % bytes; ++i) to[i] = from[i];
  for (; i + Simd::lanes <= count; i += Simd::lanes) Simd::store_past_caches(to + i, Simd::load(from + i));
  for (; i < count; ++i) to[i] = from[i];
  Simd::fence();
}

template <class Simd>
constexpr PoolKernels make_pool_kernels(bool (*supports)(const CpuFeatures&)) {
  return {supports,
          pool_plane<Simd, MaxStep>,
          pool_plane<Simd, MeanStep>,
          pool_part,
          copy_past_caches<Simd>,
          pool_places<Simd::lanes>};
}
