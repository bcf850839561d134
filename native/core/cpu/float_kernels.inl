// Bodies of the float kernels over a vector type `Simd`: Simd::V, lanes, rows (of a register tile), zero,
// load, store, set1, add, mul, sub, max, fma(a, b, c) = a * b + c. Included once per instruction set, inside
// its target brackets and its own anonymous namespace, so that no instantiation is shared between sets.

// Trims a tile's values in registers; tile_trim.inl defines it for the sets that have one.
template <class Simd>
struct TileTrim;

struct NoTileTrim {
  template <class V>
  V operator()(V v) {
    return v;
  }
};

template <class Simd>
bool fuses_trim(const TrimFormat& format) {
  return !std::is_void_v<typename Simd::Lanes> && format.kind == FormatKind::dynamic_fixed_point &&
         (format.rounding == Rounding::half_away_from_zero || format.rounding == Rounding::half_to_even);
}

template <class Simd, int Vectors, class Trim>
inline __attribute__((always_inline)) void store_tile(const PanelArguments& p, int64_t row, int rows,
                                                      bool whole,
                                                      typename Simd::V (&acc)[Simd::rows][Vectors],
                                                      Trim& trim) {
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
      Simd::store(to + v * lanes, whole ? trim(value) : value);
    }
    if (!whole) {
      // What lies beyond the last column may be anything, a NaN too, and is not for the trim to see.
      for (int64_t j = p.columns; j < Vectors * lanes; ++j) edge[j] = 0.0f;
      for (int v = 0; v < Vectors; ++v) Simd::store(edge + v * lanes, trim(Simd::load(edge + v * lanes)));
      for (int64_t j = 0; j < p.columns; ++j) out[j] = edge[j];
    }
  }
}

template <class Simd, int Vectors, class Trim>
inline __attribute__((always_inline)) void panel_tiles(const PanelArguments& p, Trim& trim) {
  using V = typename Simd::V;
  constexpr int lanes = Simd::lanes, tile_rows = Simd::rows;
  const bool whole_columns = p.columns == Vectors * lanes;
  const float* a = p.a;
  for (int64_t row = 0; row < p.rows; row += tile_rows) {
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
      a += tile_rows;
      b += p.b_stride;
    }
    const int64_t left = p.rows - row;
    if (left >= tile_rows && whole_columns)
      store_tile<Simd, Vectors>(p, row, tile_rows, true, acc, trim);
    else
      store_tile<Simd, Vectors>(p, row, left < tile_rows ? int(left) : tile_rows, whole_columns, acc, trim);
  }
}

template <class Simd, int Vectors>
void panel_kernel(const PanelArguments& p) {
  if constexpr (!std::is_void_v<typename Simd::Lanes>) {
    if (p.trim) {
      TileTrim<Simd> trim(*p.trim);
      panel_tiles<Simd, Vectors>(p, trim);
      if (trim.met_nan()) *p.nan = true;
      return;
    }
  }
  NoTileTrim none;
  panel_tiles<Simd, Vectors>(p, none);
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

template <class Simd, class Trim>
inline __attribute__((always_inline)) void split_rows(const SplitArguments& s, Trim& trim) {
  constexpr int lanes = Simd::lanes;
  constexpr int64_t kRowsAhead = 4;
  for (int64_t k = 0; k < s.depth; ++k) {
    const float* row = s.source + k * s.row_stride;
    const int partial = k + 1 == s.depth && s.last_lanes < lanes ? s.spans_count - 1 : s.spans_count;
    for (int i = 0; i < s.spans_count; ++i) {
      const PanelSpan& span = s.spans[i];
      const float* from = row + span.column;
      float* to = span.panel + k * span.vectors * lanes;
      const int whole = i == partial ? span.vectors - 1 : span.vectors;
      // The processor's own prefetcher needs some lines of every row before it follows.
      const char* ahead = reinterpret_cast<const char*>(from + kRowsAhead * s.row_stride);
      for (int byte = 0; byte < span.vectors * lanes * 4; byte += 64) __builtin_prefetch(ahead + byte);
      for (int v = 0; v < whole; ++v) Simd::store(to + v * lanes, trim(Simd::load(from + v * lanes)));
      if (whole == span.vectors) continue;
      float* last = to + whole * lanes;
      for (int j = 0; j < lanes; ++j) last[j] = j < s.last_lanes ? from[whole * lanes + j] : 0.0f;
      Simd::store(last, trim(Simd::load(last)));
    }
  }
}

template <class Simd>
void split_kernel(const SplitArguments& s) {
  if constexpr (!std::is_void_v<typename Simd::Lanes>) {
    if (s.trim) {
      TileTrim<Simd> trim(*s.trim);
      split_rows<Simd>(s, trim);
      if (trim.met_nan()) *s.nan = true;
      return;
    }
  }
  NoTileTrim none;
  split_rows<Simd>(s, none);
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
  k.winograd_input = winograd_input_kernel<Simd>;
  k.winograd_output = winograd_output_kernel<Simd>;
  return k;
}
