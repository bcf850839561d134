// Range analysis of whole vectors, written once for all instruction sets; see trim_kernels.inl.

// Four independent chains, so that loads and not the latency of a minimum set the pace.
template <class S, bool counts>
RISTRETTO_INLINE SpanExtremes see_extremes(const float* in, int64_t count, float low, float high,
                                           int64_t* outside) {
  using F = typename S::F;
  using I = typename S::I;
  constexpr int n = S::lanes, chains = 4;
  const F infinity = S::set1(__builtin_inff()), minus_infinity = S::set1(-__builtin_inff());
  [[maybe_unused]] const F lows = S::set1(low), highs = S::set1(high);
  F least[chains] = {infinity, infinity, infinity, infinity};
  F greatest[chains] = {minus_infinity, minus_infinity, minus_infinity, minus_infinity};
  I tally[chains] = {S::set1i(0), S::set1i(0), S::set1i(0), S::set1i(0)};
  auto nan = S::no_lane();
  int64_t i = 0;
  // The second operand of min and max survives where the first is a NaN.
  for (; i + chains * n <= count; i += chains * n) {
    F x[chains];
    RISTRETTO_UNROLL for (int c = 0; c < chains; ++c) {
      x[c] = S::load(in + i + c * n);
      least[c] = S::min(x[c], least[c]);
      greatest[c] = S::max(x[c], greatest[c]);
      if constexpr (counts) tally[c] = S::tally(tally[c], S::differ(x[c], S::min(S::max(x[c], lows), highs)));
    }
    nan = S::any_of(nan, S::any_of(S::any_nan(x[0], x[1]), S::any_nan(x[2], x[3])));
  }
  alignas(64) float low_lanes[n], high_lanes[n];
  S::store(low_lanes, S::min(S::min(least[0], least[1]), S::min(least[2], least[3])));
  S::store(high_lanes, S::max(S::max(greatest[0], greatest[1]), S::max(greatest[2], greatest[3])));
  SpanExtremes result = {low_lanes[0], high_lanes[0], !S::any(nan)};
  const auto take = [&result](float x, float y) {
    if (x < result.least) result.least = x;
    if (y > result.greatest) result.greatest = y;
  };
  for (int lane = 1; lane < n; ++lane) take(low_lanes[lane], high_lanes[lane]);
  if constexpr (counts) {
    alignas(64) uint32_t lanes[n];
    for (const I& t : tally) {
      std::memcpy(lanes, &t, sizeof lanes);
      for (const uint32_t lane : lanes) *outside += lane;
    }
  }
  for (; i < count; ++i) {
    take(in[i], in[i]);
    result.numbers &= in[i] == in[i];
    if constexpr (counts) *outside += in[i] < low || in[i] > high;
  }
  return result;
}

template <class S>
SpanExtremes extremes_kernel(const float* in, int64_t count) {
  return see_extremes<S, false>(in, count, 0, 0, nullptr);
}

template <class S>
SpanExtremes extremes_outside_kernel(const float* in, int64_t count, float low, float high,
                                     int64_t* outside) {
  return see_extremes<S, true>(in, count, low, high, outside);
}
