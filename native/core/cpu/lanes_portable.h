// Four floats or 32-bit words in the compiler's own vectors (GCC and Clang): SSE2 on any x86, NEON on ARM.
#pragma once

#include <cstdint>
#include <cstring>

struct PortableLanes {
  using F = float __attribute__((vector_size(16)));
  using I = uint32_t __attribute__((vector_size(16)));
  using S = int32_t __attribute__((vector_size(16)));
  using M = I;  // all bits of a lane, or none
  static constexpr int lanes = 4;
#define RISTRETTO_LANES static inline __attribute__((always_inline))
  RISTRETTO_LANES F load(const float* p) {
    F v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  RISTRETTO_LANES void store(float* p, F v) { std::memcpy(p, &v, sizeof v); }
  RISTRETTO_LANES F set1(float x) { return F{x, x, x, x}; }
  RISTRETTO_LANES I set1i(uint32_t x) { return I{x, x, x, x}; }
  RISTRETTO_LANES I bits(F v) { return (I)v; }
  RISTRETTO_LANES F floats(I v) { return (F)v; }

  RISTRETTO_LANES F add(F a, F b) { return a + b; }
  RISTRETTO_LANES F sub(F a, F b) { return a - b; }
  RISTRETTO_LANES F mul(F a, F b) { return a * b; }
  // b where either is a NaN
  RISTRETTO_LANES F min(F a, F b) { return select((M)(a < b), a, b); }
  RISTRETTO_LANES F max(F a, F b) { return select((M)(a > b), a, b); }
  // From 2^23 on, and where v is a NaN, v itself: it has no fraction, and no int32 holds it. The sign stays.
  RISTRETTO_LANES F trunc(F v) {
    const I sign = bits(v) & 0x80000000u, magnitude = bits(v) ^ sign;
    const M fits = (M)(magnitude < 0x4B000000u);
    const S whole = __builtin_convertvector(floats(magnitude & fits), S);
    return floats((((I) __builtin_convertvector(whole, F) & fits) | (magnitude & ~fits)) | sign);
  }
  RISTRETTO_LANES F floor(F v) {
    const F whole = trunc(v);
    return whole - floats(bits(set1(1)) & (M)(whole > v));
  }
  RISTRETTO_LANES F nearest_even(F v) {
    // 2^23 leaves no room for a fraction: the addition rounds it away, ties to even.
    const I sign = bits(v) & 0x80000000u, magnitude = bits(v) ^ sign;
    const M fits = (M)(magnitude < 0x4B000000u);
    const F room = set1(0x1p23f);
    const F whole = (floats(magnitude & fits) + room) - room;
    return floats(((bits(whole) & fits) | (magnitude & ~fits)) | sign);
  }
  // floor of 0 <= v < 2^32; anything where v is a NaN
  RISTRETTO_LANES I to_u32(F v) {
    const M number = (M)(v == v), large = (M)(v >= 0x1p31f);
    const F low = floats(bits(v - floats(bits(set1(0x1p31f)) & large)) & number);
    return (I) __builtin_convertvector(low, S) ^ (large << 31);
  }

  RISTRETTO_LANES I add(I a, I b) { return a + b; }
  RISTRETTO_LANES I negate(I v) { return -v; }
  RISTRETTO_LANES I both(I a, I b) { return a & b; }
  RISTRETTO_LANES I either(I a, I b) { return a | b; }
  RISTRETTO_LANES I exclusive(I a, I b) { return a ^ b; }
  RISTRETTO_LANES I without(I mask, I v) { return ~mask & v; }
  // 0 where the count is 32
  RISTRETTO_LANES I shift_left(I v, int count) { return count < 32 ? v << count : v ^ v; }
  RISTRETTO_LANES I shift_right(I v, int count) { return count < 32 ? v >> count : v ^ v; }
  RISTRETTO_LANES I min_u32(I a, I b) { return pick((M)(a < b), a, b); }
  RISTRETTO_LANES I max_u32(I a, I b) { return pick((M)(a > b), a, b); }

  RISTRETTO_LANES M no_lane() { return set1i(0); }
  RISTRETTO_LANES M is_nan(F v) { return (M)(v != v); }
  RISTRETTO_LANES M any_nan(F a, F b) { return is_nan(a) | is_nan(b); }
  RISTRETTO_LANES M at_least(F a, F b) { return (M)(a >= b); }
  // Both are numbers, and not equal.
  RISTRETTO_LANES M differ(F a, F b) { return (M)(a < b) | (M)(a > b); }
  RISTRETTO_LANES M less(I a, I b) { return (M)(a < b); }
  RISTRETTO_LANES M any_of(M a, M b) { return a | b; }
  RISTRETTO_LANES bool any(M m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
  // v and 1 in the lanes of m
  RISTRETTO_LANES I tally(I v, M m) { return v - m; }
  // v in the lanes of m, 0 elsewhere; and the reverse
  RISTRETTO_LANES I keep(M m, I v) { return m & v; }
  RISTRETTO_LANES I drop(M m, I v) { return ~m & v; }
  RISTRETTO_LANES F select(M m, F yes, F no) { return floats(pick(m, bits(yes), bits(no))); }
  RISTRETTO_LANES I pick(M m, I yes, I no) { return (m & yes) | (~m & no); }

  // Of 64-bit lanes: products of the low words; the high words moved down; the low words of two put side by
  // side.
  using L = uint64_t __attribute__((vector_size(16)));
  RISTRETTO_LANES I multiply_low_words(I a, I b) { return (I)(((L)a & 0xFFFFFFFFu) * ((L)b & 0xFFFFFFFFu)); }
  RISTRETTO_LANES I high_words(I v) { return (I)((L)v >> 32); }
  RISTRETTO_LANES I merge_low_words(I even, I odd) { return (I)(((L)even & 0xFFFFFFFFu) | ((L)odd << 32)); }
  // Lane l holds the counter that `transpose` brings into order.
  RISTRETTO_LANES I transposing_offsets() { return I{0, 1, 2, 3}; }
  RISTRETTO_LANES void transpose(I a, I b, I c, I d, I out[4]) {
    for (int lane = 0; lane < 4; ++lane) out[lane] = I{a[lane], b[lane], c[lane], d[lane]};
  }
#undef RISTRETTO_LANES
};
