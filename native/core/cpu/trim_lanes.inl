// What a trim does to a vector, written once for all instruction sets and for a GPU's threads: in terms of a struct S
// of lanes (see lanes_portable.h). Included inside the target brackets by trim_kernels.inl. Results are equal to the
// scalar definition's, bit for bit; why float32 arithmetic suffices is in docs/numerics.md, 1.

#if defined(__CUDACC__)
#define RISTRETTO_INLINE __host__ __device__ __forceinline__
#else
#define RISTRETTO_INLINE inline __attribute__((always_inline))
#endif

template <class S, Rounding rounding>
struct DynamicFixedPointLanes {
  using F = typename S::F;
  using I = typename S::I;
  F unit, step, low, high;

  explicit RISTRETTO_INLINE DynamicFixedPointLanes(const TrimFormat& format) {
    const DynamicFixedPoint scalar = dynamic_fixed_point(format);
    unit = S::set1(power_of_two_float(format.fractional_length));
    step = S::set1(scalar.step);
    low = S::set1(float(scalar.low));
    high = S::set1(float(scalar.high));
  }

  RISTRETTO_INLINE F operator()(F x, I word) const {
    const F y = S::mul(x, unit);
    F code;
    if constexpr (rounding == Rounding::half_to_even) {
      code = S::nearest_even(y);
    } else if constexpr (rounding == Rounding::half_away_from_zero) {
      // The largest float below one half: the sum never reaches the next integer unless y is at or past the
      // tie.
      const I below_half = S::set1i(0x3EFFFFFFu), sign = S::both(S::bits(y), S::set1i(FloatBits::kSign));
      code = S::trunc(S::add(y, S::floats(S::either(below_half, sign))));
    } else if constexpr (rounding == Rounding::half_up) {
      const F floor = S::floor(y);
      const I up = S::keep(S::at_least(S::sub(y, floor), S::set1(0.5f)), S::bits(S::set1(1.0f)));
      code = S::add(floor, S::floats(up));
    } else if constexpr (rounding == Rounding::floor) {
      // A negative x may underflow to -0 where the fractional length is negative: its floor is -1 all the
      // same.
      const F floor = S::floor(y);
      const I lost = S::keep(S::at_least(y, S::set1(0.0f)),
                             S::keep(S::at_least(S::set1(-0x1p-149f), x), S::bits(S::set1(-1.0f))));
      code = S::add(floor, S::floats(lost));
    } else {
      const I sign = S::both(S::bits(y), S::set1i(FloatBits::kSign));
      const F magnitude = S::floats(S::exclusive(S::bits(y), sign));
      const F kept = S::trunc(magnitude);
      const I fraction = S::to_u32(S::mul(S::sub(magnitude, kept), S::set1(0x1p32f)));
      const F rounded = S::add(kept, S::floats(S::keep(S::less(word, fraction), S::bits(S::set1(1.0f)))));
      code = S::floats(S::either(S::bits(rounded), sign));
    }
    // The second operand survives where it is a NaN. Adding 0 makes -0 positive.
    code = S::max(low, S::min(high, code));
    return S::mul(S::add(code, S::set1(0.0f)), step);
  }
};

template <class S, Rounding rounding>
struct MinifloatLanes {
  using F = typename S::F;
  using I = typename S::I;
  I smallest, largest, low_mask, half, below_half, even_mask;
  int dropped;

  explicit RISTRETTO_INLINE MinifloatLanes(const TrimFormat& format) {
    const Minifloat scalar = minifloat(format);
    dropped = scalar.dropped_bits;
    smallest = S::set1i(scalar.smallest);
    largest = S::set1i(scalar.largest);
    low_mask = S::set1i((1u << dropped) - 1);
    half = S::set1i(dropped ? 1u << (dropped - 1) : 0);
    below_half = S::set1i(dropped ? (1u << (dropped - 1)) - 1 : 0);
    // With no mantissa bit kept a tie is between 0 and a carry: the mantissa 0 is the even one.
    even_mask = S::set1i(dropped && dropped < 23 ? 1 : 0);
  }

  RISTRETTO_INLINE F operator()(F x, I word) const {
    const I bits = S::bits(x);
    const I sign = S::both(bits, S::set1i(FloatBits::kSign));
    const I magnitude = S::exclusive(bits, sign);
    I addend;
    if constexpr (rounding == Rounding::half_away_from_zero) {
      addend = half;
    } else if constexpr (rounding == Rounding::half_to_even) {
      addend = S::add(below_half, S::both(S::shift_right(magnitude, dropped), even_mask));
    } else if constexpr (rounding == Rounding::half_up) {
      addend = S::add(half, S::negate(S::both(S::shift_right(sign, 31), S::set1i(dropped ? 1 : 0))));
    } else if constexpr (rounding == Rounding::floor) {
      addend = S::both(low_mask, S::negate(S::shift_right(sign, 31)));
    } else {
      const I fraction = S::shift_left(S::both(magnitude, low_mask), 32 - dropped);
      addend = S::keep(S::less(word, fraction), S::add(low_mask, S::set1i(1)));
    }
    I result = S::without(low_mask, S::add(magnitude, addend));
    result = S::either(sign, S::min_u32(result, largest));
    result = S::drop(S::less(magnitude, smallest), result);
    return S::select(S::is_nan(x), x, S::floats(result));
  }
};

// Nearest and floor; stochastic power-of-two trims are left to the definition.
template <class S, Rounding rounding>
struct PowerOfTwoLanes {
  using F = typename S::F;
  using I = typename S::I;
  I least, most, to_next;

  explicit RISTRETTO_INLINE PowerOfTwoLanes(const TrimFormat& format) {
    least = S::set1i(uint32_t(format.exponent_min + 127));
    most = S::set1i(uint32_t(format.exponent_max + 127));
    to_next = S::set1i(rounding == Rounding::floor ? 0 : FloatBits::kHiddenBit - PowerOfTwo::kAboveRoot);
  }

  RISTRETTO_INLINE F operator()(F x, I) const {
    const I bits = S::bits(x);
    const I sign = S::both(bits, S::set1i(FloatBits::kSign));
    const I magnitude = S::exclusive(bits, sign);
    I exponent = S::shift_right(S::add(magnitude, to_next), 23);
    exponent = S::max_u32(least, S::min_u32(most, exponent));
    const I positive_zero = S::drop(S::less(magnitude, S::set1i(1)), sign);
    return S::select(S::is_nan(x), x, S::floats(S::either(positive_zero, S::shift_left(exponent, 23))));
  }
};
