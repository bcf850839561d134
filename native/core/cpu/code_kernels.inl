// Lines of codes in the compiler's own vectors, kVectorBytes long at most where the compiler would split
// longer ones badly (comparisons, GCC 12). No include guard: each instruction set's file includes it inside
// its own namespace and target.

#define RISTRETTO_INLINE inline __attribute__((always_inline))

// How vectors wider than the registers are returned matters to no one: those functions are inlined. In force
// to the end of the file that includes this one, where templates are instantiated.
#pragma GCC diagnostic ignored "-Wpsabi"

template <class T, int bytes>
using Vector __attribute__((vector_size(bytes))) = T;

template <class V>
RISTRETTO_INLINE V load(const void* at) {
  V v;
  std::memcpy(&v, at, sizeof v);
  return v;
}
template <class V>
RISTRETTO_INLINE void store(void* at, const V& v) {
  std::memcpy(at, &v, sizeof v);
}

// Codes of one type in 16 bytes; as 32-bit numbers they fill `n` lanes.
template <class T>
struct CodeVector {
  static constexpr int n = 16 / sizeof(T);
  static constexpr int zero = std::is_unsigned_v<T> ? 128 : 0;  // what code 0 is stored as
  using Stored = Vector<T, 16>;
  using Ints = Vector<int32_t, 4 * n>;
  using Floats = Vector<float, 4 * n>;
};

// Widened and narrowed by a factor of two at a time: one instruction each.
template <class T>
RISTRETTO_INLINE typename CodeVector<T>::Ints widen(const typename CodeVector<T>::Stored& stored) {
  using Words = Vector<std::conditional_t<std::is_unsigned_v<T>, uint16_t, int16_t>, 2 * CodeVector<T>::n>;
  return __builtin_convertvector(__builtin_convertvector(stored, Words), typename CodeVector<T>::Ints);
}
template <class T>
RISTRETTO_INLINE typename CodeVector<T>::Stored narrow(const typename CodeVector<T>::Ints& ints) {
  using Words = Vector<int16_t, 2 * CodeVector<T>::n>;
  return __builtin_convertvector(__builtin_convertvector(ints, Words), typename CodeVector<T>::Stored);
}

template <int... i, class V>
RISTRETTO_INLINE V interleave_low(std::integer_sequence<int, i...>, const V& a, const V& b) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(a, b, (i % 2 ? n + i / 2 : i / 2)...);
}
template <int... i, class V>
RISTRETTO_INLINE V interleave_high(std::integer_sequence<int, i...>, const V& a, const V& b) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(a, b, (i % 2 ? n + n / 2 + i / 2 : n / 2 + i / 2)...);
}

// n rows of n: interleaving rows i and i + n / 2 everywhere, log2(n) times over, transposes.
template <class V, int n>
RISTRETTO_INLINE void transpose(V (&rows)[n]) {
  constexpr auto all = std::make_integer_sequence<int, n>();
  for (int stage = 1; stage < n; stage *= 2) {
    V next[n];
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; ++i) {
      next[2 * i] = interleave_low(all, rows[i], rows[i + n / 2]);
      next[2 * i + 1] = interleave_high(all, rows[i], rows[i + n / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) rows[i] = next[i];
  }
}

// Codes of reals. After clamping every number is within 16 bits, where each rounding is exact in float32
// (docs/numerics.md, 1).
template <class T, Rounding rounding>
struct ToCodes {
  using C = CodeVector<T>;
  static constexpr int lanes = std::min(C::n, kVectorBytes / 4), parts = C::n / lanes;
  using Floats = Vector<float, 4 * lanes>;
  using Ints = Vector<int32_t, 4 * lanes>;
  float unit, low, high;
  Ints nan = {};

  RISTRETTO_INLINE Ints floor(const Floats& y) {
    const Ints whole = __builtin_convertvector(y, Ints);
    return whole + (__builtin_convertvector(whole, Floats) > y);  // a mask is -1
  }
  RISTRETTO_INLINE Ints code(const Floats& x) {
    nan |= x != x;
    const Floats product = x * unit;
    Floats y = product < low ? Floats{} + low : product;
    y = y > high ? Floats{} + high : y;
    if constexpr (rounding == Rounding::half_to_even) {
      const float shifter = 0x1.8p23f;
      return __builtin_convertvector((y + shifter) - shifter, Ints);
    } else if constexpr (rounding == Rounding::half_up) {
      const Ints code = floor(y);
      return code - ((y - __builtin_convertvector(code, Floats)) >= 0.5f);
    } else if constexpr (rounding == Rounding::floor) {
      // A negative number that underflowed has the floor -1 all the same.
      return floor(y) + ((y == 0.0f) & (x < 0.0f));
    } else {
      // The largest float below one half: the sum reaches the next integer at and past a tie alone.
      const Floats half = Floats{} + 0x1.fffffep-2f;
      return __builtin_convertvector(y + (y < 0.0f ? -half : half), Ints);
    }
  }
  // n reals.
  RISTRETTO_INLINE typename C::Stored operator()(const float* src) {
    typename C::Ints codes;
#pragma GCC unroll 4
    for (int i = 0; i < parts; ++i) {
      const Ints part = code(load<Floats>(src + i * lanes));
      std::memcpy(reinterpret_cast<char*>(&codes) + i * sizeof part, &part, sizeof part);
    }
    return narrow<T>(codes + C::zero);
  }
};

template <class T, Rounding rounding>
bool quantise_line(const QuantiseLine& l) {
  using C = CodeVector<T>;
  using Stored = typename C::Stored;
  constexpr int n = C::n;
  ToCodes<T, rounding> codes{l.unit, l.low, l.high, {}};
  T* dst = reinterpret_cast<T*>(l.dst);
  for (int64_t pixel = 0; pixel < l.pixels; pixel += n) {
    const int64_t count = std::min<int64_t>(n, l.pixels - pixel);
    T* at = dst + pixel * l.pixel_stride;
    // Beyond the line's end the plane's next pixels do as well as any.
    const bool whole = pixel + n <= l.readable;
    float rest[n] = {};
    const auto reals_of = [&](int64_t c) __attribute__((always_inline)) {
      const float* plane = l.src + c * l.channel_stride + pixel;
      if (whole) return plane;
      std::memcpy(rest, plane, size_t(l.readable - pixel) * sizeof(float));
      return static_cast<const float*>(rest);
    };
    if (l.channels < n) {
      // Few channels: each code by itself.
      alignas(16) T line[n][n];
      for (int64_t c = 0; c < l.channels; ++c) store(line[c], codes(reals_of(c)));
      if (l.channels == 1 && l.pixel_stride == 1) {
        std::memcpy(at, line[0], size_t(count) * sizeof(T));
      } else if (l.channels == 3) {
        for (int64_t i = 0; i < count; ++i, at += l.pixel_stride)
          at[0] = line[0][i], at[1] = line[1][i], at[2] = line[2][i];
      } else {
        for (int64_t i = 0; i < count; ++i, at += l.pixel_stride)
          for (int64_t c = 0; c < l.channels; ++c) at[c] = line[c][i];
      }
      continue;
    }
    // Squares of n channels and n pixels; the last one may overlap its neighbour.
    for (int64_t first = 0; first < l.channels; first += n) {
      const int64_t c = std::min<int64_t>(first, l.channels - n);
      Stored square[n];
#pragma GCC unroll 16
      for (int i = 0; i < n; ++i) square[i] = codes(reals_of(c + i));
      transpose(square);
      if (count == n) {
#pragma GCC unroll 16
        for (int i = 0; i < n; ++i) store(at + i * l.pixel_stride + c, square[i]);
      } else {
        for (int64_t i = 0; i < count; ++i) store(at + i * l.pixel_stride + c, square[i]);
      }
    }
  }
  int32_t any = 0;
  for (int i = 0; i < codes.lanes; ++i) any |= codes.nan[i];
  return any == 0;
}

template <class T>
bool quantise_of(const QuantiseLine& l) {
  switch (l.rounding) {
    case Rounding::half_to_even:
      return quantise_line<T, Rounding::half_to_even>(l);
    case Rounding::half_up:
      return quantise_line<T, Rounding::half_up>(l);
    case Rounding::floor:
      return quantise_line<T, Rounding::floor>(l);
    default:
      return quantise_line<T, Rounding::half_away_from_zero>(l);
  }
}

template <class T>
RISTRETTO_INLINE void store_reals(float* dst, const typename CodeVector<T>::Stored& stored, float step) {
  store(dst, __builtin_convertvector(widen<T>(stored) - CodeVector<T>::zero, typename CodeVector<T>::Floats) *
                 step);
}

template <class T>
void dequantise_line(const DequantiseLine& l) {
  using C = CodeVector<T>;
  using Stored = typename C::Stored;
  constexpr int n = C::n;
  const T* src = reinterpret_cast<const T*>(l.src);
  if (l.channel_stride == 1 && l.pixels == 1 && l.channels >= n) {
    for (int64_t first = 0; first < l.channels; first += n) {
      const int64_t c = std::min<int64_t>(first, l.channels - n);
      store_reals<T>(l.dst + c, load<Stored>(src + c), l.step);
    }
    return;
  }
  for (int64_t pixel = 0; pixel < l.pixels; pixel += n) {
    const int64_t count = std::min<int64_t>(n, l.pixels - pixel);
    const T* at = src + pixel * l.pixel_stride;
    float* to = l.dst + pixel;
    if (l.channels < n) {
      for (int64_t c = 0; c < l.channels; ++c)
        for (int64_t i = 0; i < count; ++i)
          to[c * l.channel_stride + i] = float(int32_t(at[i * l.pixel_stride + c]) - C::zero) * l.step;
      continue;
    }
    for (int64_t first = 0; first < l.channels; first += n) {
      const int64_t c = std::min<int64_t>(first, l.channels - n);
      Stored square[n];
#pragma GCC unroll 16
      for (int i = 0; i < n; ++i)
        square[i] = i < count ? load<Stored>(at + i * l.pixel_stride + c) : Stored{};
      transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < n; ++i) {
        float* plane = to + (c + i) * l.channel_stride;
        if (count == n) {
          store_reals<T>(plane, square[i], l.step);
        } else {
          float part[n];
          store_reals<T>(part, square[i], l.step);
          std::memcpy(plane, part, size_t(count) * sizeof(float));
        }
      }
    }
  }
}

template <class Lanes>
RISTRETTO_INLINE void round_shift(Lanes& x, const FixedStep& step) {
  x <<= step.left;
  x = (x + step.add + ((x >> step.sign_shift) & step.mask)) >> step.right;
  x = x < step.low ? Lanes{} + step.low : x;
  x = x > step.high ? Lanes{} + step.high : x;
}

// To has the width of From, or not: 16 bytes of the wider one at a time.
template <class From, class To>
void requantise_line(const RequantiseLine& l) {
  constexpr int n = std::min(CodeVector<From>::n, CodeVector<To>::n);
  using Ints = Vector<int32_t, 4 * n>;
  using Words = Vector<int16_t, 2 * n>;
  // Unsigned bytes widen to the same 16 bits, signed or not.
  using SrcWords = Vector<std::conditional_t<std::is_unsigned_v<From>, uint16_t, int16_t>, 2 * n>;
  const From* src = reinterpret_cast<const From*>(l.src);
  To* dst = reinterpret_cast<To*>(l.dst);
  const FixedStep step = l.step;
  const int32_t least = l.relu ? 0 : INT32_MIN;
  const auto run = [=](const From* from, To* to) __attribute__((always_inline)) {
    Ints x = __builtin_convertvector(
        __builtin_convertvector(load<Vector<From, n * sizeof(From)>>(from), SrcWords), Ints);
    x -= CodeVector<From>::zero;
    constexpr int lanes = std::min(n, kVectorBytes / 4);
    using Part = Vector<int32_t, 4 * lanes>;
#pragma GCC unroll 4
    for (int i = 0; i < n / lanes; ++i) {
      Part y = load<Part>(reinterpret_cast<const char*>(&x) + i * sizeof(Part));
      y = y < least ? Part{} + least : y;
      round_shift(y, step);
      store(reinterpret_cast<char*>(&x) + i * sizeof(Part), y);
    }
    x += CodeVector<To>::zero;
    store(to, __builtin_convertvector(__builtin_convertvector(x, Words), Vector<To, n * sizeof(To)>));
  };
  int64_t i = 0;
  for (; i + n <= l.count; i += n) run(src + i, dst + i);
  if (i == l.count) return;
  From from[n] = {};
  To to[n];
  std::memcpy(from, src + i, size_t(l.count - i) * sizeof(From));
  run(from, to);
  std::memcpy(dst + i, to, size_t(l.count - i) * sizeof(To));
}

template <class From>
void requantise_from(const RequantiseLine& l) {
  if (l.dst_type == DataType::i16)
    requantise_line<From, int16_t>(l);
  else if (l.dst_type == DataType::u8)
    requantise_line<From, uint8_t>(l);
  else
    requantise_line<From, int8_t>(l);
}

template <class V>
RISTRETTO_INLINE V larger(const V& a, const V& b) {
  return a > b ? a : b;
}

// Outputs of one vector V of channels (or one code, V being T itself). Each column of the windows is read
// once where they overlap by `overlap` columns: their maxima stay in registers for the next window.
template <class V, class T, int rows, int overlap>
void max_channels(const MaxLine& l, int64_t channel) {
  const V least = V{} + std::numeric_limits<T>::min();
  const V empty = V{} + T(l.empty + CodeVector<T>::zero);
  const char* src = l.src + channel * int64_t(sizeof(T));
  char* dst = l.dst + channel * int64_t(sizeof(T));
  const auto column = [&](int64_t w) __attribute__((always_inline)) {
    if (w < 0 || w >= l.width) return least;
    const char* at = src + w * l.pixel_bytes;
    V best = load<V>(at);
    const int64_t count = rows ? rows : l.rows;
    for (int64_t r = 1; r < count; ++r) best = larger(best, load<V>(at += l.row_bytes));
    return best;
  };
  int64_t w = -l.pad_w;
  V kept[overlap + 1];
  for (int i = 0; i < overlap; ++i) kept[i] = column(w + i);
  for (int64_t q = 0; q < l.out_width; ++q, w += l.stride_w, dst += l.dst_pixel_bytes) {
    V best = least;
    for (int i = 0; i < overlap; ++i) best = larger(best, kept[i]);
    for (int64_t s = overlap; s < l.kernel_w; ++s) {
      const V now = column(w + s);
      best = larger(best, now);
      if (overlap == 2) kept[0] = kept[1];
      if (overlap) kept[overlap - 1] = now;
    }
    store(dst, w + l.kernel_w <= 0 || w >= l.width ? empty : best);
  }
}

template <class V, class T, int rows>
void max_overlapping(const MaxLine& l, int64_t channel) {
  const int64_t overlap = l.kernel_w - l.stride_w;
  if (overlap == 1)
    max_channels<V, T, rows, 1>(l, channel);
  else if (overlap == 2 && l.stride_w == 1)
    max_channels<V, T, rows, 2>(l, channel);
  else
    max_channels<V, T, rows, 0>(l, channel);
}

template <class V, class T>
void max_vector(const MaxLine& l, int64_t channel) {
  if (l.rows == 3)
    max_overlapping<V, T, 3>(l, channel);
  else if (l.rows == 2)
    max_overlapping<V, T, 2>(l, channel);
  else
    max_overlapping<V, T, 0>(l, channel);
}

template <class T>
void max_line(const MaxLine& l) {
  constexpr int64_t n = kVectorBytes / sizeof(T), least = 16 / sizeof(T);
  if (l.rows <= 0) {
    for (int64_t q = 0; q < l.out_width; ++q)
      for (int64_t c = 0; c < l.channels; ++c)
        reinterpret_cast<T*>(l.dst + q * l.dst_pixel_bytes)[c] = T(l.empty + CodeVector<T>::zero);
    return;
  }
  int64_t c = 0;
  for (; c + n <= l.channels; c += n) max_vector<Vector<T, kVectorBytes>, T>(l, c);
  if (kVectorBytes == 64 && c + 2 * least <= l.channels) max_vector<Vector<T, 32>, T>(l, c), c += 2 * least;
  if (c + least <= l.channels) max_vector<Vector<T, 16>, T>(l, c), c += least;
  if (c == l.channels) return;
  if (l.channels >= least)
    max_vector<Vector<T, 16>, T>(l, l.channels - least);  // overlaps what is done
  else
    for (; c < l.channels; ++c) max_vector<T, T>(l, c);
}

// Sums of stored codes, `vectors` vectors of channels; what u8 adds to them is taken off at the end.
template <class T, int vectors>
RISTRETTO_INLINE void mean_channels(const MeanWindow& m, int64_t channel) {
  using C = CodeVector<T>;
  using Ints = typename C::Ints;
  Ints sum[vectors] = {};
  const T* row = reinterpret_cast<const T*>(m.src) + channel;
  for (int64_t r = 0; r < m.rows; ++r, row += m.row_stride) {
    const T* at = row;
    for (int64_t s = 0; s < m.columns; ++s, at += m.pixel_stride)
      for (int v = 0; v < vectors; ++v) sum[v] += widen<T>(load<typename C::Stored>(at + v * C::n));
  }
  const int32_t bias = int32_t(C::zero * m.rows * m.columns);
  for (int v = 0; v < vectors; ++v) {
    const auto mean = __builtin_convertvector(sum[v] - bias, typename C::Floats) * m.step / m.area;
    float* dst = m.dst + (channel + v * C::n) * m.channel_stride;
    if (m.channel_stride == 1)
      store(dst, mean);
    else
      for (int i = 0; i < C::n; ++i) dst[i * m.channel_stride] = mean[i];
  }
}

template <class T>
void mean_window(const MeanWindow& m) {
  using C = CodeVector<T>;
  int64_t c = 0;
  for (; c + 4 * C::n <= m.channels; c += 4 * C::n) mean_channels<T, 4>(m, c);
  for (; c + C::n <= m.channels; c += C::n) mean_channels<T, 1>(m, c);
  if (c == m.channels) return;
  if (m.channels >= C::n) return mean_channels<T, 1>(m, m.channels - C::n);
  for (; c < m.channels; ++c) {
    int32_t sum = 0;
    for (int64_t r = 0; r < m.rows; ++r)
      for (int64_t s = 0; s < m.columns; ++s)
        sum +=
            int32_t(reinterpret_cast<const T*>(m.src)[r * m.row_stride + s * m.pixel_stride + c]) - C::zero;
    m.dst[c * m.channel_stride] = float(sum) * m.step / m.area;
  }
}

// A vector of codes, or one, as 32-bit numbers. widen_codes is the instruction set's own: GCC 12 makes four
// instructions of a conversion where one does it.
template <class T, int lanes>
RISTRETTO_INLINE Vector<int32_t, 4 * lanes> codes_at(const char* at) {
  const T* codes = reinterpret_cast<const T*>(at);
  if constexpr (lanes == 1)
    return Vector<int32_t, 4>{*codes};
  else
    return Vector<int32_t, 4 * lanes>(widen_codes(codes));
}

// Sums of `lanes` channels of `pixels` pixels.
template <class T, int lanes, int pixels>
RISTRETTO_INLINE void depthwise_block(const DepthwiseLine& l, int64_t channel, int64_t pixel,
                                      const Vector<int32_t, 4 * lanes>& init) {
  using Ints = Vector<int32_t, 4 * lanes>;
  Ints sum[pixels];
  // Unrolled before registers are assigned, or sums would live in memory.
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p) sum[p] = init;
  const char* src = l.src + pixel * l.pixel_bytes + channel * int64_t(sizeof(T));
  for (int64_t t = 0; t < l.tap_count; ++t) {
    const Ints weight = load<Ints>(l.weights + l.weight_rows[t] * l.channels + channel);
    const char* at = src + l.taps[t];
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) sum[p] += codes_at<T, lanes>(at + p * l.pixel_bytes) * weight;
  }
  if (!l.store) {
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) store(l.sums + (pixel + p) * l.channels + channel, sum[p]);
    return;
  }
  const FixedStore& s = *l.store;
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p) {
    Ints x = sum[p];
    if (s.sum_left) x = (x << s.sum_left) + load<Ints>(l.bias + channel);
    if (s.relu) x = x < 0 ? Ints{} : x;
    round_shift(x, s.output);
    if (s.has_consumer) round_shift(x, s.consumer);
    x += s.zero;
    char* dst = l.dst + (pixel + p) * l.dst_pixel_bytes;
    const auto words = __builtin_convertvector(x, Vector<int16_t, 2 * lanes>);
    if (s.type == DataType::i16)
      store(dst + 2 * channel, words);
    else
      store(dst + channel, __builtin_convertvector(words, Vector<int8_t, lanes>));
  }
}

template <class T, int lanes>
void depthwise_channels(const DepthwiseLine& l, int64_t channel) {
  using Ints = Vector<int32_t, 4 * lanes>;
  // What storage adds to every code is taken off once.
  Ints init = load<Ints>(l.init + channel);
  if (CodeVector<T>::zero)
    for (int64_t t = 0; t < l.tap_count; ++t)
      init -= CodeVector<T>::zero * load<Ints>(l.weights + l.weight_rows[t] * l.channels + channel);
  int64_t pixel = 0;
  for (; pixel + 4 <= l.pixels; pixel += 4) depthwise_block<T, lanes, 4>(l, channel, pixel, init);
  for (; pixel < l.pixels; ++pixel) depthwise_block<T, lanes, 1>(l, channel, pixel, init);
}

template <class T>
void depthwise_line(const DepthwiseLine& l) {
  constexpr int lanes = kVectorBytes / 4;
  int64_t c = 0;
  for (; c + lanes <= l.channels; c += lanes) depthwise_channels<T, lanes>(l, c);
  if (c == l.channels) return;
  if (l.channels >= lanes)
    depthwise_channels<T, lanes>(l, l.channels - lanes);  // overlaps what is done
  else
    for (; c < l.channels; ++c) depthwise_channels<T, 1>(l, c);
}

constexpr CodeKernels make_code_kernels(bool (*supports)(const CpuFeatures&)) {
  CodeKernels k{};
  k.supports = supports;
  k.quantise = [](const QuantiseLine& l) {
    return l.type == DataType::i16  ? quantise_of<int16_t>(l)
           : l.type == DataType::u8 ? quantise_of<uint8_t>(l)
                                    : quantise_of<int8_t>(l);
  };
  k.dequantise = [](const DequantiseLine& l) {
    l.type == DataType::i16  ? dequantise_line<int16_t>(l)
    : l.type == DataType::u8 ? dequantise_line<uint8_t>(l)
                             : dequantise_line<int8_t>(l);
  };
  k.requantise = [](const RequantiseLine& l) {
    l.src_type == DataType::i16  ? requantise_from<int16_t>(l)
    : l.src_type == DataType::u8 ? requantise_from<uint8_t>(l)
                                 : requantise_from<int8_t>(l);
  };
  k.max = [](const MaxLine& l) {
    l.type == DataType::i16  ? max_line<int16_t>(l)
    : l.type == DataType::u8 ? max_line<uint8_t>(l)
                             : max_line<int8_t>(l);
  };
  k.mean = [](const MeanWindow& m) {
    m.type == DataType::i16  ? mean_window<int16_t>(m)
    : m.type == DataType::u8 ? mean_window<uint8_t>(m)
                             : mean_window<int8_t>(m);
  };
  k.depthwise = [](const DepthwiseLine& l) {
    l.type == DataType::i16  ? depthwise_line<int16_t>(l)
    : l.type == DataType::u8 ? depthwise_line<uint8_t>(l)
                             : depthwise_line<int8_t>(l);
  };
  return k;
}

#undef RISTRETTO_INLINE
