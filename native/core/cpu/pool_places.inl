// Where the maxima of a row of windows lie, over vectors of `lanes` windows. Included as pool_kernels.inl is.

template <int lanes>
void pool_places(const PoolWindowRows& w, int32_t* place) {
  typedef float Floats __attribute__((vector_size(4 * lanes)));
  typedef int32_t Places __attribute__((vector_size(4 * lanes)));
  for (int64_t q = 0; q < w.count; q += lanes) {
    Floats best = Floats{} - 3.402823466e+38f;
    Places at = Places{} + kNoPlace;
    for (int64_t r = 0; r < w.height; ++r)
      for (int64_t s = 0; s < w.width; ++s) {
        Floats value;
        std::memcpy(&value, w.rows[r] + s % w.stride * w.phase_length + s / w.stride + q, sizeof value);
        // A NaN never wins and the first of equals stays.
        const Places more = value > best;
        best = more ? value : best;
        at = more ? Places{} + int32_t(r * w.row_step + s) : at;
      }
    std::memcpy(place + q, &at, sizeof at);
  }
}
