#include "core/random.h"

#include <cmath>
#include <cstring>

#include "check.h"

using namespace ristretto;

static void check_words(PhiloxBlock counter, uint32_t key0, uint32_t key1, const uint32_t (&expected)[4]) {
  const PhiloxBlock block = philox4x32(counter, key0, key1);
  for (int i = 0; i < 4; ++i) CHECK_EQUAL(block.word[i], expected[i], "word ", i);
}

// Random123's kat_vectors, philox4x32 with 10 rounds.
TEST(philox_gives_the_published_answers) {
  check_words({{0, 0, 0, 0}}, 0, 0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  const uint32_t f = 0xffffffffu;
  check_words({{f, f, f, f}}, f, f, {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  check_words({{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}}, 0xa4093822u, 0x299f31d0u,
              {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST(a_word_is_named_by_seed_stream_step_and_element) {
  const RandomStream random = {0x299f31d0a4093822u, 0x13198a2eu, 0x03707344u, 12345};
  const uint64_t group = 0x85a308d3243f6a88u >> 2 << 2;  // any
  const PhiloxBlock block = random_words(random, group);
  const PhiloxBlock same = philox4x32({{uint32_t(group), uint32_t(group >> 32), 0x13198a2eu, 0x03707344u}},
                                      0xa4093822u, 0x299f31d0u);
  for (int i = 0; i < 4; ++i) CHECK_EQUAL(block.word[i], same.word[i]);
  // first_element is no part of a word's name, and four elements share a block.
  for (uint64_t element = 40; element < 48; ++element)
    CHECK_EQUAL(random_word(random, element), random_words(random, element / 4).word[element % 4]);
}

TEST(fnv1a_gives_the_published_answers) {
  const auto hash = [](const char* text) { return fnv1a(text, std::strlen(text)); };
  CHECK_EQUAL(hash(""), 0x811c9dc5u);
  CHECK_EQUAL(hash("a"), 0xe40c292cu);
  CHECK_EQUAL(hash("foobar"), 0xbf9cf968u);
}

// Chi-square over 256 bins of the top byte, and of each lane on its own. The 0.1 % point for 255 degrees of
// freedom is 330.5; the words are fixed, so this cannot fail by chance later.
TEST(words_are_uniform) {
  const RandomStream random = {42, fnv1a("conv1/weights", 13), 7, 0};
  for (int lane = 0; lane < 4; ++lane) {
    double counts[256] = {};
    const int blocks = 1 << 16;
    for (int i = 0; i < blocks; ++i) ++counts[random_words(random, uint64_t(i)).word[lane] >> 24];
    double chi = 0;
    for (double n : counts) chi += (n - blocks / 256.0) * (n - blocks / 256.0) / (blocks / 256.0);
    CHECK(chi < 330.5 && chi > 180, "chi-square ", chi, " of lane ", lane);
  }
}
