// Bodies of the float kernels over a vector type `Simd`: Simd::V, lanes, rows (of a register tile), zero,
// load, store, set1, add, mul, sub, max, fma(a, b, c) = a * b + c. Included once per instruction set, inside
// its target brackets and its own anonymous namespace, so that no instantiation is shared between sets.

template <class Simd>
bool fuses_trim(const TrimFormat& format) {
  return Simd::Trim::available && format.kind == FormatKind::dynamic_fixed_point &&
         (format.rounding == Rounding::half_away_from_zero || format.rounding == Rounding::half_to_even);
}

template <class Simd, int Vectors>
inline __attribute__((always_inline)) void store_tile(const PanelArguments& p, int64_t row, int rows,
                                                      bool whole,
                                                      typename Simd::V (&acc)[Simd::rows][Vectors]) {
  using V = typename Simd::V;
  constexpr int lanes = Simd::lanes;
  float* c = p.c + row * p.c_stride;
#pragma GCC unroll 16
  for (int i = 0; i < Simd::rows; ++i) {
    if (i >= rows) break;
    float* out = c + i * p.c_stride;
    float edge[Vectors * lanes];
    float* to = out;
    if (!whole) {
      to = edge;
      for (int j = 0; j < Vectors * lanes; ++j) edge[j] = p.accumulate && j < p.columns ? out[j] : 0.0f;
    }
    const V bias = p.bias ? Simd::set1(p.bias[row + i]) : Simd::zero();
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      V value = acc[i][v];
      if (p.accumulate) value = Simd::add(Simd::load(to + v * lanes), value);
      if (p.bias) value = Simd::add(value, bias);
      if (p.relu) value = Simd::max(Simd::zero(), value);  // in this order a NaN stays
      Simd::store(to + v * lanes, value);
    }
    if (!whole)
      for (int64_t j = 0; j < p.columns; ++j) out[j] = edge[j];
  }
}

template <class Simd, int Vectors>
void panel_kernel(const PanelArguments& p) {
  using V = typename Simd::V;
  constexpr int lanes = Simd::lanes, tile_rows = Simd::rows;
  const bool whole_columns = p.columns == Vectors * lanes;
  const int64_t a_step = p.a_step ? p.a_step : tile_rows, a_row = p.a_step ? 1 : p.depth;
  for (int64_t row = 0; row < p.rows; row += tile_rows) {
    const float* a = p.a + row * a_row;
    // The tile's lines of C are on their way while the sums are made: stores that miss would stall the next
    // tile.
    const int tile_have = p.rows - row < tile_rows ? int(p.rows - row) : tile_rows;
    for (int i = 0; i < tile_have; ++i) {
      const char* line = reinterpret_cast<const char*>(p.c + (row + i) * p.c_stride);
      for (int byte = 0; byte < Vectors * lanes * 4; byte += 64) __builtin_prefetch(line + byte, 1);
      __builtin_prefetch(line + Vectors * lanes * 4 - 1, 1);
    }
    V acc[tile_rows][Vectors];
#pragma GCC unroll 16
    for (int i = 0; i < tile_rows; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[i][v] = Simd::zero();
    const float* b = p.b;
    for (int64_t k = 0; k < p.depth; ++k) {
      V column[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) column[v] = Simd::load(b + v * lanes);
#pragma GCC unroll 16
      for (int i = 0; i < tile_rows; ++i) {
        const V weight = Simd::set1(a[i]);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) acc[i][v] = Simd::fma(weight, column[v], acc[i][v]);
      }
      a += a_step;
      b += p.b_stride;
    }
    if (tile_have == tile_rows && whole_columns)
      store_tile<Simd, Vectors>(p, row, tile_rows, true, acc);
    else
      store_tile<Simd, Vectors>(p, row, tile_have, whole_columns, acc);
    // What was just stored is still at hand.
    if (p.trim && Simd::Trim::rows(p.c + row * p.c_stride, p.c_stride, tile_have, p.columns, *p.trim))
      *p.nan = true;
  }
}

template <class Simd, int Moves>
void gather_moves(const GatherArguments& g) {
  int64_t src[Moves], dst[Moves];
  for (int m = 0; m < Moves; ++m) src[m] = g.moves[m].src, dst[m] = g.moves[m].dst;
  float* panel = g.panel;
  for (int64_t k = 0; k < g.depth; ++k) {
    const float* source = g.source + g.offsets[k];
#pragma GCC unroll 8
    for (int m = 0; m < Moves; ++m) Simd::store(panel + dst[m], Simd::load(source + src[m]));
    panel += g.width;
  }
}

template <class Simd>
void gather_kernel(const GatherArguments& g) {
  switch (g.moves_count) {
    case 1:
      return gather_moves<Simd, 1>(g);
    case 2:
      return gather_moves<Simd, 2>(g);
    case 3:
      return gather_moves<Simd, 3>(g);
    case 4:
      return gather_moves<Simd, 4>(g);
    case 5:
      return gather_moves<Simd, 5>(g);
    case 6:
      return gather_moves<Simd, 6>(g);
    default:
      break;
  }
  float* panel = g.panel;
  for (int64_t k = 0; k < g.depth; ++k) {
    const float* source = g.source + g.offsets[k];
    for (int m = 0; m < g.moves_count; ++m)
      Simd::store(panel + g.moves[m].dst, Simd::load(source + g.moves[m].src));
    panel += g.width;
  }
}

template <class Simd>
void split_kernel(const SplitArguments& s) {
  constexpr int lanes = Simd::lanes;
  constexpr int64_t kRowsAhead = 4, kRowsPerTrim = 16;  // the latter are still in the first-level cache
  for (int64_t k = 0; k < s.depth; ++k) {
    const float* row = s.source + k * s.row_stride;
    const int partial = k < s.whole_rows ? s.spans_count : s.spans_count - 1;
    for (int i = 0; i < s.spans_count; ++i) {
      const PanelSpan& span = s.spans[i];
      const float* from = row + span.column;
      const int64_t width = span.vectors * lanes;
      float* to = span.panel + k * width;
      const int whole = i == partial ? span.vectors - 1 : span.vectors;
      // The processor's own prefetcher needs some lines of every row before it follows.
      const char* ahead = reinterpret_cast<const char*>(from + kRowsAhead * s.row_stride);
      for (int64_t byte = 0; byte < width * 4; byte += 64) __builtin_prefetch(ahead + byte);
      for (int v = 0; v < whole; ++v) Simd::store(to + v * lanes, Simd::load(from + v * lanes));
      if (whole < span.vectors)
        for (int j = 0; j < lanes; ++j)
          to[whole * lanes + j] = j < s.last_lanes ? from[whole * lanes + j] : 0.0f;
    }
    if (!s.trim || ((k + 1) % kRowsPerTrim != 0 && k + 1 < s.depth)) continue;
    const int64_t first = k / kRowsPerTrim * kRowsPerTrim;
    for (int i = 0; i < s.spans_count; ++i) {
      const int64_t width = s.spans[i].vectors * lanes;
      if (Simd::Trim::rows(s.spans[i].panel + first * width, 0, 1, (k + 1 - first) * width, *s.trim))
        *s.nan = true;
    }
  }
}

template <class Simd>
void transpose_kernel(const TransposeArguments& t) {
  using V = typename Simd::V;
  constexpr int lanes = Simd::lanes;
  for (int64_t row = 0; row < t.rows; row += lanes) {
    const int have = t.rows - row < lanes ? int(t.rows - row) : lanes;
    const float* source = t.source + row * t.source_stride;
    float* out = t.out + row;
    int64_t offset[lanes];  // of missing rows: that of the last one
    for (int i = 0; i < lanes; ++i) offset[i] = (i < have ? i : have - 1) * t.source_stride;
    // Short runs of far rows: the processor's own prefetcher does not see the next ones coming.
    const int64_t ahead = row + lanes < t.rows ? lanes * t.source_stride : 0;
    V sum = Simd::zero();
    int64_t j = 0;
    for (; j + 4 <= t.columns; j += 4, out += 4 * t.out_stride) {
      if (ahead && j % 16 == 0)
        for (int i = 0; i < lanes; ++i) __builtin_prefetch(source + j + offset[i] + ahead);
      V x[4];
      Simd::load_quads(source + j, offset, x);
      sum = Simd::add(sum, Simd::add(Simd::add(x[0], x[1]), Simd::add(x[2], x[3])));
      if (have == lanes) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) Simd::store(out + i * t.out_stride, x[i]);
      } else {
        float edge[4][lanes];
        for (int i = 0; i < 4; ++i) Simd::store(edge[i], x[i]);
        for (int i = 0; i < 4; ++i)
          for (int l = 0; l < have; ++l) out[i * t.out_stride + l] = edge[i][l];
      }
    }
    float sums[lanes];
    Simd::store(sums, sum);
    for (; j < t.columns; ++j, out += t.out_stride)
      for (int l = 0; l < have; ++l) sums[l] += out[l] = source[offset[l] + j];
    if (t.sums)
      for (int l = 0; l < have; ++l) t.sums[row + l] = sums[l];
  }
}

template <class Simd, int Vectors>
inline __attribute__((always_inline)) void depthwise_run(const DepthwiseArguments& d, const float* source,
                                                         float* dst) {
  using V = typename Simd::V;
  V sum[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) sum[v] = Simd::zero();
  for (int64_t t = 0; t < d.taps; ++t) {
    const V weight = Simd::set1(d.weights[t]);
    const float* from = source + d.offsets[t];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) sum[v] = Simd::fma(weight, Simd::load(from + v * Simd::lanes), sum[v]);
  }
  const V bias = Simd::set1(d.bias);
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    V value = Simd::add(sum[v], bias);
    if (d.relu) value = Simd::max(Simd::zero(), value);
    Simd::store(dst + v * Simd::lanes, value);
  }
}

template <class Simd>
void depthwise_kernel(const DepthwiseArguments& d) {
  constexpr int lanes = Simd::lanes, wide = 4 * lanes;
  for (int64_t p = 0; p < d.lines; ++p) {
    const float* source = d.source + p * d.source_stride;
    float* dst = d.dst + p * d.columns;
    int64_t q = 0;
    for (; q + wide <= d.columns; q += wide) depthwise_run<Simd, 4>(d, source + q, dst + q);
    for (; q + lanes <= d.columns; q += lanes) depthwise_run<Simd, 1>(d, source + q, dst + q);
    if (q < d.columns) {
      float edge[lanes];
      depthwise_run<Simd, 1>(d, source + q, edge);
      for (int j = 0; q < d.columns; ++q, ++j) dst[q] = edge[j];
    }
  }
}

#include "winograd_kernels.inl"

template <class Simd>
constexpr FloatKernels make_float_kernels(const char* name, int64_t l1_bytes, int64_t l2_bytes,
                                          bool (*available)(const CpuFeatures&)) {
  FloatKernels k{};
  k.name = name;
  k.lanes = Simd::lanes;
  k.rows = Simd::rows;
  k.l1_bytes = l1_bytes;
  k.l2_bytes = l2_bytes;
  k.available = available;
  k.fuses_trim = fuses_trim<Simd>;
  k.panel[0] = panel_kernel<Simd, 1>;
  k.panel[1] = panel_kernel<Simd, 2>;
  k.panel[2] = panel_kernel<Simd, 3>;
  k.gather = gather_kernel<Simd>;
  k.split = split_kernel<Simd>;
  k.transpose = transpose_kernel<Simd>;
  k.depthwise = depthwise_kernel<Simd>;
  k.winograd_input = winograd_input_kernel<Simd>;
  k.winograd_output = winograd_output_kernel<Simd>;
  k.winograd_patches = winograd_patches_kernel<Simd>;
  k.winograd_gradients = winograd_gradients_kernel<Simd>;
  return k;
}
