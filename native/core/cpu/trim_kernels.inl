// Trims of whole vectors, written once for all instruction sets. Include inside the target brackets, after a
// struct S of lanes (see lanes_avx2.h). Each trim's results are equal to the scalar definition's, bit for bit
// (test/native/trim_test.cpp); why float32 arithmetic suffices is in docs/numerics.md, 1.

#include "trim_lanes.inl"

template <class S>
RISTRETTO_INLINE void philox_round(typename S::I c[4], typename S::I multiplier0, typename S::I multiplier1,
                                   typename S::I key0, typename S::I key1) {
  const typename S::I product0 = S::multiply_low_words(c[0], multiplier0);
  const typename S::I product1 = S::multiply_low_words(c[2], multiplier1);
  c[0] = S::exclusive(S::high_words(product1), S::exclusive(c[1], key0));
  c[1] = product1;
  c[2] = S::exclusive(S::high_words(product0), S::exclusive(c[3], key1));
  c[3] = product0;
}

// Random words of one stream, a vector of blocks at a time.
template <class S>
class RandomLanes {
 public:
  using I = typename S::I;

  explicit RISTRETTO_INLINE RandomLanes(const RandomStream& random)
      : stream_(S::set1i(random.stream)), step_(S::set1i(random.step)) {
    uint32_t key0 = uint32_t(random.seed), key1 = uint32_t(random.seed >> 32);
    for (int round = 0; round < Philox::kRounds; ++round) {
      keys_[round][0] = S::set1i(key0);
      keys_[round][1] = S::set1i(key1);
      key0 += Philox::kWeyl0;
      key1 += Philox::kWeyl1;
    }
  }

  // The words of elements 4 * group .. 4 * group + 4 * lanes - 1, in the elements' order.
  RISTRETTO_INLINE void words(uint64_t group, I words[4]) const {
    const I offset = S::transposing_offsets();
    const I c0 = S::add(S::set1i(uint32_t(group)), offset);
    const I carry = S::keep(S::less(c0, offset), S::set1i(1));
    const I c1 = S::add(S::set1i(uint32_t(group >> 32)), carry);
    // Even and odd lanes apart, each word in the low half of 64 bits: a product leaves its low word in place
    // and its high word one shift away. What stands in the high halves does not matter until the end.
    I even[4] = {c0, c1, stream_, step_};
    I odd[4] = {S::high_words(c0), S::high_words(c1), stream_, step_};
    const I multiplier0 = S::set1i(Philox::kMultiplier0), multiplier1 = S::set1i(Philox::kMultiplier1);
#pragma GCC unroll 10
    for (int round = 0; round < Philox::kRounds; ++round) {
      philox_round<S>(even, multiplier0, multiplier1, keys_[round][0], keys_[round][1]);
      philox_round<S>(odd, multiplier0, multiplier1, keys_[round][0], keys_[round][1]);
    }
    for (int i = 0; i < 4; ++i) even[i] = S::merge_low_words(even[i], odd[i]);
    S::transpose(even[0], even[1], even[2], even[3], words);
  }

 private:
  I stream_, step_, keys_[Philox::kRounds][2];
};

template <class S, class Lanes>
RISTRETTO_INLINE bool trim_lanes(const float* in, float* out, int64_t count, const TrimFormat& format) {
  const Lanes trim(format);
  constexpr int n = S::lanes;
  auto nan = S::no_lane();
  int64_t i = 0;
  for (; i + 2 * n <= count; i += 2 * n) {
    const typename S::F a = S::load(in + i), b = S::load(in + i + n);
    nan = S::any_of(nan, S::any_nan(a, b));
    S::store(out + i, trim(a, S::set1i(0)));
    S::store(out + i + n, trim(b, S::set1i(0)));
  }
  while (i < count) {
    const int64_t rest = count - i < n ? count - i : n;
    alignas(64) float buffer[n] = {};
    std::memcpy(buffer, in + i, size_t(rest) * sizeof(float));
    const typename S::F x = S::load(buffer);
    nan = S::any_of(nan, S::is_nan(x));
    S::store(buffer, trim(x, S::set1i(0)));
    std::memcpy(out + i, buffer, size_t(rest) * sizeof(float));
    i += rest;
  }
  return !S::any(nan);
}

template <class S, class Lanes>
RISTRETTO_INLINE bool trim_lanes_stochastic(const float* in, float* out, int64_t count,
                                            const TrimFormat& format, const RandomStream& random) {
  const Lanes trim(format);
  constexpr int n = S::lanes;
  auto nan = S::no_lane();
  const RandomLanes<S> random_lanes(random);
  typename S::I words[4];
  alignas(64) float buffer[4 * n];
  // Elements before the first whole group of four stand at the end of a group that is computed all the same.
  int skip = int(random.first_element & 3);
  uint64_t group = random.first_element >> 2;
  for (int64_t i = 0; i < count; group += n) {
    random_lanes.words(group, words);
    if (skip == 0 && i + 4 * n <= count) {
      for (int v = 0; v < 4; ++v) {
        const typename S::F x = S::load(in + i + v * n);
        nan = S::any_of(nan, S::is_nan(x));
        S::store(out + i + v * n, trim(x, words[v]));
      }
      i += 4 * n;
      continue;
    }
    const int64_t part = count - i < 4 * n - skip ? count - i : 4 * n - skip;
    std::memset(buffer, 0, sizeof buffer);
    std::memcpy(buffer + skip, in + i, size_t(part) * sizeof(float));
    for (int v = 0; v < 4; ++v) {
      const typename S::F x = S::load(buffer + v * n);
      nan = S::any_of(nan, S::is_nan(x));
      S::store(buffer + v * n, trim(x, words[v]));
    }
    std::memcpy(out + i, buffer + skip, size_t(part) * sizeof(float));
    i += part;
    skip = 0;
  }
  return !S::any(nan);
}

template <class S, template <class, Rounding> class Lanes>
bool trim_format_lanes(const float* in, float* out, int64_t count, const TrimFormat& format,
                       const RandomStream& random) {
  switch (format.rounding) {
    case Rounding::half_away_from_zero:
      return trim_lanes<S, Lanes<S, Rounding::half_away_from_zero>>(in, out, count, format);
    case Rounding::half_to_even:
      return trim_lanes<S, Lanes<S, Rounding::half_to_even>>(in, out, count, format);
    case Rounding::half_up:
      return trim_lanes<S, Lanes<S, Rounding::half_up>>(in, out, count, format);
    case Rounding::floor:
      return trim_lanes<S, Lanes<S, Rounding::floor>>(in, out, count, format);
    case Rounding::stochastic:
      break;
  }
  return trim_lanes_stochastic<S, Lanes<S, Rounding::stochastic>>(in, out, count, format, random);
}

template <class S>
bool trim_kernel(const float* in, float* out, int64_t count, const TrimFormat& format,
                 const RandomStream& random) {
  if (format.kind == FormatKind::dynamic_fixed_point)
    return trim_format_lanes<S, DynamicFixedPointLanes>(in, out, count, format, random);
  if (format.kind == FormatKind::minifloat)
    return trim_format_lanes<S, MinifloatLanes>(in, out, count, format, random);
  if (format.rounding == Rounding::floor)
    return trim_lanes<S, PowerOfTwoLanes<S, Rounding::floor>>(in, out, count, format);
  return trim_lanes<S, PowerOfTwoLanes<S, Rounding::half_away_from_zero>>(in, out, count, format);
}
