// Where the maxima of a row of windows lie, over vectors of `lanes` windows of kWidth columns that lie kStride
// apart; 0: of any. Included as pool_kernels.inl is.

template <int lanes, int kWidth, int kStride>
void pool_places(const PoolWindowRows& w, int32_t* place) {
  typedef float Floats __attribute__((vector_size(4 * lanes)));
  typedef int32_t Places __attribute__((vector_size(4 * lanes)));
  const int64_t width = kWidth ? kWidth : w.width, stride = kStride ? kStride : w.stride;
  for (int64_t q = 0; q < w.count; q += lanes) {
    Floats best = Floats{} + w.floor;
    Places at = Places{} + kNoPlace;
    for (int64_t r = 0; r < w.height; ++r) {
      const float* row = w.rows[r] + q;
      int64_t phase = 0, step = 0;
      for (int64_t s = 0; s < width; ++s) {
        Floats value;
        std::memcpy(&value, row + phase * w.phase_length + step, sizeof value);
        // A NaN never wins and the first of equals stays.
        const Places more = value > best;
        best = more ? value : best;
        at = more ? Places{} + int32_t(r * w.row_step + s) : at;
        if (++phase == stride) phase = 0, ++step;
      }
    }
    std::memcpy(place + q, &at, sizeof at);
  }
}

template <int lanes>
void pool_places(const PoolWindowRows& w, int32_t* place) {
  if (w.width == 3 && w.stride == 2) return pool_places<lanes, 3, 2>(w, place);
  pool_places<lanes, 0, 0>(w, place);
}

// Pointers that do not alias let the compiler deal out whole vectors.
inline void part_pairs(const float* __restrict from, int64_t count, float* __restrict even,
                       float* __restrict odd) {
  for (int64_t i = 0; i < count; ++i) even[i] = from[2 * i], odd[i] = from[2 * i + 1];
}

inline void pool_part(const float* from, int64_t groups, int64_t stride, float* to, int64_t phase_length) {
  if (stride == 2) return part_pairs(from, groups, to, to + phase_length);
  for (int64_t f = 0; f < stride; ++f)
    for (int64_t i = 0; i < groups; ++i) to[f * phase_length + i] = from[i * stride + f];
}
