// Where the maxima of a row of windows lie, and what comes back to those places, over vectors of `lanes` windows.
// Included as pool_kernels.inl is.

template <int lanes>
void pool_places(const PoolWindowRows& w, int32_t* place) {
  typedef float Floats __attribute__((vector_size(4 * lanes)));
  typedef int32_t Places __attribute__((vector_size(4 * lanes)));
  for (int64_t q = 0; q < w.count; q += lanes) {
    Floats best = Floats{} + w.floor;
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

template <int lanes>
void pool_gradient_row(const PoolCoveringRows& w, float* parted) {
  typedef float Floats __attribute__((vector_size(4 * lanes)));
  typedef int32_t Places __attribute__((vector_size(4 * lanes)));
  for (int64_t f = 0; f < w.stride; ++f, parted += w.phase_length)
    for (int64_t i = 0; i < w.phase_length; i += lanes) {
      Floats sum = Floats{};
      for (int64_t row = 0; row < w.rows; ++row)
        // The last column belongs to the first window.
        for (int64_t back = (w.width - 1 - f) / w.stride; back >= 0; --back) {
          Places place, diff;
          std::memcpy(&place, w.place[row] + i - back, sizeof place);
          std::memcpy(&diff, w.diff[row] + i - back, sizeof diff);
          diff &= place == w.first[row] + int32_t(back * w.stride + f);
          sum += reinterpret_cast<Floats>(diff);
        }
      std::memcpy(parted + i, &sum, sizeof sum);
    }
}
