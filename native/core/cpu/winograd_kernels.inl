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

// The second pass, down the columns of what the first made of the lines.
template <class Simd>
inline __attribute__((always_inline)) void winograd_input_columns(const typename Simd::V (&lines)[6][6],
                                                                  float* out, int64_t position_stride) {
  using V = typename Simd::V;
  for (int j = 0; j < 6; ++j) {
    const V d[6] = {lines[0][j], lines[1][j], lines[2][j], lines[3][j], lines[4][j], lines[5][j]};
    V r[6];
    winograd_input_line<Simd>(d, r);
    for (int i = 0; i < 6; ++i) Simd::store(out + (i * 6 + j) * position_stride, r[i]);
  }
}

// A y of one line of four: row i is the polynomial with these coefficients at point i.
template <class Simd>
inline __attribute__((always_inline)) void winograd_gradient_line(const typename Simd::V (&y)[4],
                                                                  typename Simd::V (&m)[6]) {
  using V = typename Simd::V;
  constexpr float a = WinogradPoints::kNear, b = WinogradPoints::kFar;
  m[0] = y[0];
  m[5] = y[3];
  const V near_even = Simd::fma(Simd::set1(a * a), y[2], y[0]);
  const V near_odd = Simd::fma(Simd::set1(a * a), y[3], y[1]);
  m[1] = Simd::fma(Simd::set1(a), near_odd, near_even);
  m[2] = Simd::fma(Simd::set1(-a), near_odd, near_even);
  const V far_even = Simd::fma(Simd::set1(b * b), y[2], y[0]);
  const V far_odd = Simd::fma(Simd::set1(b * b), y[3], y[1]);
  m[3] = Simd::fma(Simd::set1(b), far_odd, far_even);
  m[4] = Simd::fma(Simd::set1(-b), far_odd, far_even);
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
    winograd_input_columns<Simd>(lines, w.out + c * w.out_channel_stride, w.out_position_stride);
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

// Calls body(pixel(i) of channels [c, c + lanes) for i in [0, Pixels), where to write them) for every tile.
template <class Simd, int Pixels, class Body>
inline __attribute__((always_inline)) void winograd_tiles_of_pixels(const WinogradPixels& w,
                                                                    const Body& body) {
  for (int64_t t = 0; t < w.tiles; ++t) {
    const float* at[Pixels];
    for (int i = 0; i < Pixels; ++i) {
      const int32_t pixel = w.pixels[t * Pixels + i];
      at[i] = pixel < 0 ? w.outside : w.source + (pixel - w.first) * w.pixel_stride;
    }
    float* out = w.out + t * w.tile_stride;
    for (int64_t c = 0; c < w.channels; c += Simd::lanes) body(at, c, out + c);
  }
}

template <class Simd>
void winograd_patches_kernel(const WinogradPixels& w) {
  using V = typename Simd::V;
  winograd_tiles_of_pixels<Simd, 36>(w, [&](const float* const (&at)[36], int64_t c, float* out) {
    V lines[6][6];
    for (int i = 0; i < 6; ++i) {
      V d[6];
      for (int j = 0; j < 6; ++j) d[j] = Simd::load(at[i * 6 + j] + c);
      winograd_input_line<Simd>(d, lines[i]);
    }
    winograd_input_columns<Simd>(lines, out, w.position_stride);
  });
}

template <class Simd>
void winograd_gradients_kernel(const WinogradPixels& w) {
  using V = typename Simd::V;
  winograd_tiles_of_pixels<Simd, 16>(w, [&](const float* const (&at)[16], int64_t c, float* out) {
    V lines[4][6];
    for (int i = 0; i < 4; ++i) {
      V y[4];
      for (int j = 0; j < 4; ++j) y[j] = Simd::load(at[i * 4 + j] + c);
      winograd_gradient_line<Simd>(y, lines[i]);
    }
    for (int j = 0; j < 6; ++j) {
      const V y[4] = {lines[0][j], lines[1][j], lines[2][j], lines[3][j]};
      V m[6];
      winograd_gradient_line<Simd>(y, m);
      for (int i = 0; i < 6; ++i) Simd::store(out + (i * 6 + j) * w.position_stride, m[i]);
    }
  });
}
