// The transforms of Winograd's F(4x4, 3x3) over `Simd::lanes` tiles at a time (Lavin and Gray, arXiv:1509.09308). Included
// by float_kernels.inl. Simd::load_quads reads four floats per lane and gives them as four vectors, store_quads is
// its inverse.

// B^T d of one line of six.
template <class Simd>
inline __attribute__((always_inline)) void winograd_input_line(const typename Simd::V (&d)[6], typename Simd::V (&r)[6]) {
  using V = typename Simd::V;
  const V four = Simd::set1(4.0f), minus_four = Simd::set1(-4.0f), minus_five = Simd::set1(-5.0f), two = Simd::set1(2.0f);
  r[0] = Simd::fma(four, d[0], Simd::fma(minus_five, d[2], d[4]));
  r[5] = Simd::fma(four, d[1], Simd::fma(minus_five, d[3], d[5]));
  const V even = Simd::fma(minus_four, d[2], d[4]), odd = Simd::fma(minus_four, d[1], d[3]);
  r[1] = Simd::add(even, odd);
  r[2] = Simd::sub(even, odd);
  const V near = Simd::sub(d[4], d[2]), far = Simd::mul(two, Simd::sub(d[3], d[1]));
  r[3] = Simd::add(near, far);
  r[4] = Simd::sub(near, far);
}

// A^T m of one line of six.
template <class Simd>
inline __attribute__((always_inline)) void winograd_output_line(const typename Simd::V (&m)[6], typename Simd::V (&y)[4]) {
  using V = typename Simd::V;
  const V sum1 = Simd::add(m[1], m[2]), difference1 = Simd::sub(m[1], m[2]);
  const V sum2 = Simd::add(m[3], m[4]), difference2 = Simd::sub(m[3], m[4]);
  y[0] = Simd::add(Simd::add(m[0], sum1), sum2);
  y[1] = Simd::fma(Simd::set1(2.0f), difference2, difference1);
  y[2] = Simd::fma(Simd::set1(4.0f), sum2, sum1);
  y[3] = Simd::add(Simd::fma(Simd::set1(8.0f), difference2, difference1), m[5]);
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
  for (int i = 0; i < Simd::lanes; ++i) pointers[i] = w.lanes[i].out;
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
          lane.edge[k * w.edge_row_stride + r * w.line_stride + q] = lane.out[r * w.line_stride + q];
    }
  }
}
