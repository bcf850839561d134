// The fixed-point inner loops over a vector type V (one 32-bit sum per lane):
//   V::lanes, V::pixels[vectors - 1], V::Register, V::load(const int32_t*), V::store(int32_t*, Register),
//   V::broadcast(const char*): four bytes in every lane, V::load_weights(const char*),
//   V::dot_bytes(sum, src, weights), V::dot_words(sum, src, weights),
//   V::pack(a, b): both vectors of sums as 16 bits, saturated, in their order,
//   V::store_codes(char*, words, all): their low bytes, all of them or the first half.
// No include guard: each instruction set's file includes it inside its own namespace and target.

// Two vectors of sums (or one, twice) to codes of 16 bits: what saturates there is beyond every code of 8.
template <class V, bool consumer>
inline Lanes16<2 * V::lanes> quick_codes(typename V::Register first, typename V::Register second,
                                         const QuickStore& store) {
  using Sums = Lanes32<V::lanes>;
  using Codes = Lanes16<2 * V::lanes>;
  Codes x = Codes(V::pack(Sums(first) >> store.right, Sums(second) >> store.right));
  const auto limit = [&x](int32_t high) {
    const Codes most = Codes{} + int16_t(high);
    x = x < most ? x : most;
  };
  x = x < 0 ? Codes{} : x;
  limit(store.high);
  if (consumer) {
    x = ((x << int16_t(store.consumer.left)) + int16_t(store.consumer.add)) >> int16_t(store.consumer.right);
    limit(store.consumer.high);
  }
  return x;
}

template <class V, bool consumer, int vectors>
inline void quick_store(const typename V::Register (&sums)[vectors], const QuickStore& store, char* dst) {
  RISTRETTO_UNROLL for (int v = 0; v < vectors; v += 2) {
    const bool pair = v + 1 < vectors;
    V::store_codes(dst + v * V::lanes, quick_codes<V, consumer>(sums[v], sums[pair ? v + 1 : v], store),
                   pair);
  }
}

template <class V, bool words, int vectors, int pixels>
void fixed_tile(const FixedTile& tile) {
  using Register = typename V::Register;
  constexpr int kVector = V::lanes * 4;  // bytes
  Register sum[pixels][vectors];
  RISTRETTO_UNROLL for (int v = 0; v < vectors; ++v) {
    const Register init = V::load(tile.init + v * V::lanes);
    RISTRETTO_UNROLL for (int p = 0; p < pixels; ++p) sum[p][v] = init;
  }
  const int64_t stride = tile.pixel_bytes;
  const char* weights = tile.weights;
  for (int64_t run = 0; run < tile.run_count; ++run) {
    const char* src = tile.src + tile.runs[run];
    // One pointer per three pixels: the others are one and two strides from it, which addressing modes reach.
    const char* at[(pixels + 2) / 3];
    RISTRETTO_UNROLL for (int i = 0; i < (pixels + 2) / 3; ++i) at[i] = src + 3 * i * stride;
    const char* w = weights;
    for (int64_t step = 0; step < tile.run_steps; ++step) {
      Register weight[vectors];
      RISTRETTO_UNROLL for (int v = 0; v < vectors; ++v) weight[v] = V::load_weights(w + v * kVector);
      RISTRETTO_UNROLL for (int p = 0; p < pixels; ++p) {
        const Register code = V::broadcast(at[p / 3] + p % 3 * stride);
        RISTRETTO_UNROLL for (int v = 0; v < vectors; ++v) sum[p][v] =
            words ? V::dot_words(sum[p][v], code, weight[v]) : V::dot_bytes(sum[p][v], code, weight[v]);
      }
      w += vectors * kVector;
      RISTRETTO_UNROLL for (int i = 0; i < (pixels + 2) / 3; ++i) at[i] += 4;
    }
    weights += tile.run_weights;
  }
  if (tile.quick) {
    const QuickStore store = *tile.quick;
    const auto store_all = [&](auto consumer) {
      RISTRETTO_UNROLL for (int p = 0; p < pixels; ++p) quick_store<V, decltype(consumer)::value, vectors>(
          sum[p], store, tile.dst + p * tile.dst_pixel_bytes);
    };
    if (store.has_consumer)
      store_all(std::true_type());
    else
      store_all(std::false_type());
    return;
  }
  RISTRETTO_UNROLL for (int p = 0; p < pixels; ++p) RISTRETTO_UNROLL for (int v = 0; v < vectors; ++v)
      V::store(tile.sums + (p * vectors + v) * V::lanes, sum[p][v]);
}

template <class V, bool words, int vectors, int pixels>
constexpr FixedKernels::Tile tile_or_null() {
  if constexpr (pixels <= V::pixels[vectors - 1])
    return fixed_tile<V, words, vectors, pixels>;
  else
    return nullptr;
}

template <class V, bool words, int vectors, int... pixels>
constexpr void fill_tiles(FixedKernels::Tile (&row)[FixedKernels::kMostPixels],
                          std::integer_sequence<int, pixels...>) {
  ((row[pixels] = tile_or_null<V, words, vectors, pixels + 1>()), ...);
}

template <class Lanes>
inline void apply_step(Lanes& x, const FixedStep& step) {
  if (step.left) x <<= step.left;
  Lanes sum = x + step.add;
  if (step.mask) sum += (x >> step.sign_shift) & step.mask;
  x = sum >> step.right;
  x = x < step.low ? Lanes{} + step.low : x;
  x = x > step.high ? Lanes{} + step.high : x;
}

template <int lanes>
void fixed_store(const int32_t* sums, int64_t pixels, int64_t width, const int32_t* bias,
                 const FixedStore& store, char* dst, int64_t dst_pixel_bytes, int64_t channels) {
  for (int64_t p = 0; p < pixels; ++p, sums += width, dst += dst_pixel_bytes)
    for (int64_t c = 0; c < channels; c += lanes) {
      const int64_t count = std::min<int64_t>(lanes, channels - c);
      Lanes32<lanes> x;
      std::memcpy(&x, sums + c, sizeof x);
      if (store.sum_left) {
        Lanes32<lanes> b;
        std::memcpy(&b, bias + c, sizeof b);
        x = (x << store.sum_left) + b;
      }
      if (store.relu) x = x < 0 ? Lanes32<lanes>{} : x;
      apply_step(x, store.output);
      if (store.has_consumer) apply_step(x, store.consumer);
      x += store.zero;
      if (store.type == DataType::i16) {
        const auto codes = __builtin_convertvector(x, Lanes16<lanes>);
        count == lanes ? std::memcpy(dst + 2 * c, &codes, sizeof codes)
                       : std::memcpy(dst + 2 * c, &codes, 2 * count);
      } else {
        const auto codes = __builtin_convertvector(x, Lanes8<lanes>);
        count == lanes ? std::memcpy(dst + c, &codes, sizeof codes) : std::memcpy(dst + c, &codes, count);
      }
    }
}

template <class V>
constexpr FixedKernels make_fixed_kernels(const char* name, bool (*available)(const CpuFeatures&),
                                          int32_t most_pair, bool signed_bytes) {
  FixedKernels k{};
  k.name = name;
  k.lanes = V::lanes;
  k.available = available;
  k.most_pair = most_pair;
  k.signed_bytes = signed_bytes;
  k.store = fixed_store<V::lanes>;
  constexpr auto all = std::make_integer_sequence<int, FixedKernels::kMostPixels>();
  for (int v = 0; v < FixedKernels::kMostVectors; ++v) k.pixels[v] = V::pixels[v];
  fill_tiles<V, false, 1>(k.bytes[0], all);
  fill_tiles<V, false, 2>(k.bytes[1], all);
  fill_tiles<V, false, 3>(k.bytes[2], all);
  fill_tiles<V, true, 1>(k.words[0], all);
  fill_tiles<V, true, 2>(k.words[1], all);
  fill_tiles<V, true, 3>(k.words[2], all);
  return k;
}
