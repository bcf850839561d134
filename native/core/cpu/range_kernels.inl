// Range analysis of whole vectors, written once for all instruction sets; see trim_kernels.inl.

// Four independent chains, so that loads and not the latency of a minimum set the pace.
template <class S>
SpanExtremes extremes_kernel(const float* in, int64_t count) {
  using F = typename S::F;
  constexpr int n = S::lanes;
  const F infinity = S::set1(__builtin_inff()), minus_infinity = S::set1(-__builtin_inff());
  F least[4] = {infinity, infinity, infinity, infinity};
  F greatest[4] = {minus_infinity, minus_infinity, minus_infinity, minus_infinity};
  auto nan = S::no_lane();
  int64_t i = 0;
  // The second operand of min and max survives where the first is a NaN.
  for (; i + 4 * n <= count; i += 4 * n) {
    const F a = S::load(in + i), b = S::load(in + i + n), c = S::load(in + i + 2 * n),
            d = S::load(in + i + 3 * n);
    least[0] = S::min(a, least[0]);
    least[1] = S::min(b, least[1]);
    least[2] = S::min(c, least[2]);
    least[3] = S::min(d, least[3]);
    greatest[0] = S::max(a, greatest[0]);
    greatest[1] = S::max(b, greatest[1]);
    greatest[2] = S::max(c, greatest[2]);
    greatest[3] = S::max(d, greatest[3]);
    nan = S::any_of(nan, S::any_of(S::any_nan(a, b), S::any_nan(c, d)));
  }
  alignas(64) float low[n], high[n];
  S::store(low, S::min(S::min(least[0], least[1]), S::min(least[2], least[3])));
  S::store(high, S::max(S::max(greatest[0], greatest[1]), S::max(greatest[2], greatest[3])));
  SpanExtremes result = {low[0], high[0], !S::any(nan)};
  const auto take = [&result](float x, float y) {
    if (x < result.least) result.least = x;
    if (y > result.greatest) result.greatest = y;
  };
  for (int lane = 1; lane < n; ++lane) take(low[lane], high[lane]);
  for (; i < count; ++i) {
    take(in[i], in[i]);
    result.numbers &= in[i] == in[i];
  }
  return result;
}

template <class S>
int64_t count_outside_kernel(const float* in, int64_t count, float low, float high) {
  using F = typename S::F;
  using I = typename S::I;
  constexpr int n = S::lanes;
  constexpr int64_t most = int64_t{1} << 30;  // vectors that a lane's 32-bit tally can take
  const F lows = S::set1(low), highs = S::set1(high);
  int64_t outside = 0, i = 0;
  while (i + n <= count) {
    const int64_t end = (count - i) / n < most ? i + (count - i) / n * n : i + most * n;
    I tally[2] = {S::set1i(0), S::set1i(0)};
    for (; i + 2 * n <= end; i += 2 * n)
      for (int chain = 0; chain < 2; ++chain) {
        const F x = S::load(in + i + chain * n);
        tally[chain] = S::tally(tally[chain], S::any_of(S::above(lows, x), S::above(x, highs)));
      }
    for (; i < end; i += n) {
      const F x = S::load(in + i);
      tally[0] = S::tally(tally[0], S::any_of(S::above(lows, x), S::above(x, highs)));
    }
    alignas(64) uint32_t lanes[n];
    for (const I& t : tally) {
      std::memcpy(lanes, &t, sizeof lanes);
      for (uint32_t lane : lanes) outside += lane;
    }
  }
  for (; i < count; ++i) outside += in[i] < low || in[i] > high;
  return outside;
}
