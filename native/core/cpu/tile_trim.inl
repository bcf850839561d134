// Nearest dynamic fixed point, the common trim, for what the float kernels have just stored. Included after
// trim_kernels.inl, inside the target brackets.

template <class S>
struct VectorTrim {
  static constexpr bool available = true;

  // Trims rows of `columns` floats; returns whether a NaN was among them. Never inlined: it serves many
  // unrolled kernels, which would multiply it.
  static __attribute__((noinline)) bool rows(float* values, int64_t stride, int64_t rows, int64_t columns,
                                             const TrimFormat& format) {
    return format.rounding == Rounding::half_to_even
               ? rows_with<Rounding::half_to_even>(values, stride, rows, columns, format)
               : rows_with<Rounding::half_away_from_zero>(values, stride, rows, columns, format);
  }

 private:
  template <Rounding rounding>
  static RISTRETTO_INLINE bool rows_with(float* values, int64_t stride, int64_t rows, int64_t columns,
                                         const TrimFormat& format) {
    const DynamicFixedPointLanes<S, rounding> trim(format);
    constexpr int n = S::lanes;
    auto nan = S::no_lane();
    for (int64_t row = 0; row < rows; ++row, values += stride) {
      int64_t i = 0;
      for (; i + n <= columns; i += n) {
        const typename S::F v = S::load(values + i);
        nan = S::any_of(nan, S::is_nan(v));
        S::store(values + i, trim(v, S::set1i(0)));
      }
      if (i == columns) continue;
      float edge[n] = {};
      for (int64_t j = i; j < columns; ++j) edge[j - i] = values[j];
      const typename S::F v = S::load(edge);
      nan = S::any_of(nan, S::is_nan(v));
      S::store(edge, trim(v, S::set1i(0)));
      for (int64_t j = i; j < columns; ++j) values[j] = edge[j - i];
    }
    return S::any(nan);
  }
};
