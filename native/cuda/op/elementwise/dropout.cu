// Dropout: one block of Philox serves four elements, where they start at a multiple of four words.
#include "core/op/elementwise/dropout.h"

#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

template <bool kWholeBlocks>
struct Drop {
  RandomStream random;
  uint64_t threshold;  // words below it make a zero
  float scale;
  RISTRETTO_DEVICE float value(uint32_t word, float x) const { return word < threshold ? 0.0f : x * scale; }
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[1]) const {
    return value(random_word(random, random.first_element + uint64_t(element)), x[0]);
  }
  RISTRETTO_DEVICE void four(int64_t element, const float (&x)[4][1],
                             float (&y)[4]) const requires kWholeBlocks {
    const PhiloxBlock words = random_words(random, (random.first_element + uint64_t(element)) / 4);
#pragma unroll
    for (int e = 0; e < 4; ++e) y[e] = value(words.word[e], x[e][0]);
  }
};

template <bool kWholeBlocks>
void drop(Context& context, const DropoutArguments& d) {
  const Drop<kWholeBlocks> function{d.random, uint64_t(double(d.ratio) * 4294967296.0),
                                    float(1.0 / (1.0 - double(d.ratio)))};
  map<1>(context, "dropout", {d.src}, d.dst, function);
}

}  // namespace

bool run(Context& context, const DropoutArguments& d) {
  if (d.random.first_element % 4 == 0)
    drop<true>(context, d);
  else
    drop<false>(context, d);
  return true;
}

}  // namespace ristretto::cuda
