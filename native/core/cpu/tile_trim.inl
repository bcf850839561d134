// Included after trim_kernels.inl and before float_kernels.inl, inside the target brackets.

// The trim of a tile's values in registers: nearest dynamic fixed point, the common one. Simd::Lanes is the
// vector type that trim_kernels.inl knows, or void where there is none.
template <class Simd>
struct TileTrim {
  using V = typename Simd::V;
  using S = typename Simd::Lanes;
  DynamicFixedPointLanes<S, Rounding::half_away_from_zero> away;
  DynamicFixedPointLanes<S, Rounding::half_to_even> even;
  bool to_even;
  typename S::M nan = S::no_lane();

  explicit RISTRETTO_INLINE TileTrim(const TrimFormat& format)
      : away(format), even(format), to_even(format.rounding == Rounding::half_to_even) {}
  RISTRETTO_INLINE V operator()(V v) {
    nan = S::any_of(nan, S::is_nan(v));
    return to_even ? even(v, S::set1i(0)) : away(v, S::set1i(0));
  }
  RISTRETTO_INLINE bool met_nan() const { return S::any(nan); }
};
