// The transforms of Winograd's F(4x4, 3x3) over `Simd::lanes` tiles at a time (Lavin and Gray,
// arXiv:1509.09308), at the points 0, +-kNear, +-kFar and infinity. Included by float_kernels.inl.
// Simd::load_quads reads four floats per lane and gives them as four vectors, store_quads is its inverse.

// B^T d of one line of six: row i is the product of (x - q) over all points q but the i-th, or over all of
// them.
template <class Simd>
inline __attribute__((always_inline)) void winograd_input_line(const typename Simd::V (&d)[6],
                                                               typename Simd::V (&r)[6]) {
  using V = typename Simd::V;
  constexpr float a = WinogradPoints::kNear, b = WinogradPoints::kFar;
  const V all0 = Simd::set1(a * a * b * b), all2 = Simd::set1(-a * a - b * b);
  r[0] = Simd::fma(all0, d[0], Simd::fma(all2, d[2], d[4]));
  r[5] = Simd::fma(all0, d[1], Simd::fma(all2, d[3], d[5]));
  const V without_near = Simd::set1(-b * b), without_far = Simd::set1(-a * a);
  const V near_even = Simd::fma(without_near, d[2], d[4]), near_odd = Simd::fma(without_near, d[1], d[3]);
  r[1] = Simd::fma(Simd::set1(a), near_odd, near_even);
  r[2] = Simd::fma(Simd::set1(-a), near_odd, near_even);
  const V far_even = Simd::fma(without_far, d[2], d[4]), far_odd = Simd::fma(without_far, d[1], d[3]);
  r[3] = Simd::fma(Simd::set1(b), far_odd, far_even);
  r[4] = Simd::fma(Simd::set1(-b), far_odd, far_even);
}

// A^T m of one line of six: row j is the points' j-th powers.
template <class Simd>
inline __attribute__((always_inline)) void winograd_output_line(const typename Simd::V (&m)[6],
                                                                typename Simd::V (&y)[4]) {
  using V = typename Simd::V;
  constexpr float a = WinogradPoints::kNear, b = WinogradPoints::kFar;
  const V near_sum = Simd::add(m[1], m[2]), near_difference = Simd::sub(m[1], m[2]);
  const V far_sum = Simd::add(m[3], m[4]), far_difference = Simd::sub(m[3], m[4]);
  y[0] = Simd::add(m[0], Simd::add(near_sum, far_sum));
  y[1] = Simd::fma(Simd::set1(b), far_difference, Simd::mul(Simd::set1(a), near_difference));
  y[2] = Simd::fma(Simd::set1(b * b), far_sum, Simd::mul(Simd::set1(a * a), near_sum));
  y[3] = Simd::fma(Simd::set1(b * b * b), far_difference,
                   Simd::fma(Simd::set1(a * a * a), near_difference, m[5]));
}

template <class Simd>
void winograd_input_kernel(const WinogradInput& w) {
  using V = typename Simd::V;
  for (int64_t c = 0; c < w.channels; ++c) {
    const float* image = w.source + c * w.channel_stride;
    V lines[6][6];
    for (int i = 0; i < 6; ++i) {
      const float* row = image + i * w.row_stride;
      V low[4], high[4];
      Simd::load_quads(row, w.offsets, low);
      Simd::load_quads(row + 4, w.offsets, high);
      const V d[6] = {low[0], low[1], low[2], low[3], high[0], high[1]};
      winograd_input_line<Simd>(d, lines[i]);
    }
    float* out = w.out + c * w.out_channel_stride;
    for (int j = 0; j < 6; ++j) {
      const V d[6] = {lines[0][j], lines[1][j], lines[2][j], lines[3][j], lines[4][j], lines[5][j]};
      V r[6];
      winograd_input_line<Simd>(d, r);
      for (int i = 0; i < 6; ++i) Simd::store(out + (i * 6 + j) * w.out_position_stride, r[i]);
    }
  }
}

template <class Simd>
void winograd_output_kernel(const WinogradOutput& w) {
  using V = typename Simd::V;
  float* pointers[Simd::lanes];
  for (int i = 0; i < Simd::lanes; ++i)
    pointers[i] = w.lanes[i].out + w.first_row * w.lanes[i].out_row_stride;
  for (int64_t k = 0; k < w.rows; ++k) {
    const float* product = w.products + k * w.row_stride;
    V columns[4][6];
    for (int j = 0; j < 6; ++j) {
      V m[6], y[4];
      for (int i = 0; i < 6; ++i) m[i] = Simd::load(product + (i * 6 + j) * w.position_stride);
      winograd_output_line<Simd>(m, y);
      for (int i = 0; i < 4; ++i) columns[i][j] = y[i];
    }
    const V bias = Simd::set1(w.bias ? w.bias[k] : 0.0f);
    for (int i = 0; i < 4; ++i) {
      V x[4];
      winograd_output_line<Simd>(columns[i], x);
      for (int j = 0; j < 4; ++j) {
        x[j] = Simd::add(x[j], bias);
        if (w.relu) x[j] = Simd::max(Simd::zero(), x[j]);
      }
      Simd::store_quads(pointers, i * w.line_stride, x);
    }
    for (int i = 0; i < Simd::lanes; ++i) {
      const WinogradLane& lane = w.lanes[i];
      pointers[i] += lane.out_row_stride;
      for (int r = 0; r < lane.edge_height; ++r)
        for (int q = 0; q < lane.edge_width; ++q)
          lane.edge[(w.first_row + k) * w.edge_row_stride + r * w.line_stride + q] =
              lane.out[r * w.line_stride + q];
    }
  }
}
