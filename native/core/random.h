// Counter-based random words: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC'11). A word depends on its name alone (docs/numerics.md, 2), so no thread, block or batch
// split can change it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host_device.h"

namespace ristretto {

// Names the random words of a stochastic trim: word(element) depends on these and on nothing else.
struct RandomStream {
  uint64_t seed = 0;
  uint32_t stream = 0;         // FNV-1a-32 of "layer/role"
  uint32_t step = 0;           // training forwards so far
  uint64_t first_element = 0;  // global index of the span's first element
};

struct PhiloxBlock {
  uint32_t word[4];
};

struct Philox {
  static constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
  static constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
  static constexpr int kRounds = 10;
};

RISTRETTO_HOST_DEVICE PhiloxBlock philox4x32(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  uint32_t c0 = counter.word[0], c1 = counter.word[1], c2 = counter.word[2], c3 = counter.word[3];
  for (int round = 0; round < Philox::kRounds; ++round) {
    const uint64_t product0 = uint64_t{Philox::kMultiplier0} * c0;
    const uint64_t product1 = uint64_t{Philox::kMultiplier1} * c2;
    c0 = uint32_t(product1 >> 32) ^ c1 ^ key0;
    c1 = uint32_t(product1);
    c2 = uint32_t(product0 >> 32) ^ c3 ^ key1;
    c3 = uint32_t(product0);
    key0 += Philox::kWeyl0;
    key1 += Philox::kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

// The four words of elements 4 * group .. 4 * group + 3.
RISTRETTO_HOST_DEVICE PhiloxBlock random_words(const RandomStream& random, uint64_t group) {
  return philox4x32({{uint32_t(group), uint32_t(group >> 32), random.stream, random.step}},
                    uint32_t(random.seed), uint32_t(random.seed >> 32));
}

// The word of one element, by its global index (first_element is not added).
RISTRETTO_HOST_DEVICE uint32_t random_word(const RandomStream& random, uint64_t element) {
  return random_words(random, element >> 2).word[element & 3];
}

// FNV-1a, 32 bits, of the bytes of a name.
RISTRETTO_HOST_DEVICE uint32_t fnv1a(const char* text, size_t length) {
  uint32_t hash = 0x811C9DC5u;
  for (size_t i = 0; i < length; ++i) hash = (hash ^ uint8_t(text[i])) * 0x01000193u;
  return hash;
}

}  // namespace ristretto
