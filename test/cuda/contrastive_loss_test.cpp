// Contrastive loss and its gradient: on the device as on the processor.
#include "core/op/loss/contrastive_loss.h"

#include "core/op/loss/contrastive_loss_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t pairs, length;
};
const Problem kProblems[] = {{1, 1}, {6, 2}, {37, 70}, {90, 3}, {3, 400}, {0, 5}};

// So near that some pairs are within the margin; the second is 0.
struct Vectors {
  explicit Vectors(const Problem& p)
      : a({p.pairs, p.length}, near(p, 1)),
        b({p.pairs, p.length}, near(p, 2)),
        similar({p.pairs}, kinds(p)) {}
  static guarded::vector<float> near(const Problem& p, uint32_t seed) {
    guarded::vector<float> values = random_values(p.pairs * p.length, seed);
    for (size_t i = 0; i < values.size(); ++i) values[i] /= i / size_t(p.length) % 3 ? 40.0f : 4.0f;
    for (int64_t i = 0; i < p.length && p.pairs > 1; ++i) values[size_t(p.length + i)] = 0;
    return values;
  }
  static guarded::vector<float> kinds(const Problem& p) {
    guarded::vector<float> values(size_t(p.pairs));
    for (size_t n = 0; n < values.size(); ++n) values[n] = n % 5 == 2 ? 1.0f : n % 7 == 4 ? -2.5f : 0.5f;
    return values;
  }
  template <class Arguments>
  void give(Arguments& c, bool device, float margin, bool legacy) const {
    c.a = a.tensor(device), c.b = b.tensor(device), c.similar = similar.tensor(device);
    c.margin = margin, c.legacy = legacy;
  }
  Twin a, b, similar;
};

}  // namespace

TEST(contrastive_losses_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool legacy : {false, true}) {
      const Vectors vectors(p);
      Twin dst({1}, 3);
      run_both<ContrastiveLoss>([&](bool device) {
        ContrastiveLossArguments c;
        vectors.give(c, device, 1.5f, legacy);
        c.dst = dst.tensor(device);
        return c;
      });
      dst.check_close(1e-6, "pairs ", p.pairs, " length ", p.length, " legacy ", legacy);
    }
}

TEST(contrastive_loss_gradients_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool legacy : {false, true})
      for (int parts : {1, 2, 3}) {
        const Vectors vectors(p);
        Twin weight({1}, guarded::vector<float>{0.7f});
        Twin a_diff({p.pairs, p.length}, 4), b_diff({p.pairs, p.length}, 5);
        run_both<ContrastiveLossGradient>([&](bool device) {
          ContrastiveLossGradientArguments c;
          vectors.give(c, device, 1.5f, legacy);
          c.dst_diff = weight.tensor(device);
          if (parts & 1) c.a_diff = a_diff.tensor(device);
          if (parts & 2) c.b_diff = b_diff.tensor(device);
          return c;
        });
        a_diff.check_close(1e-6, "pairs ", p.pairs, " length ", p.length, " legacy ", legacy);
        b_diff.check_close(1e-6, "pairs ", p.pairs, " length ", p.length, " legacy ", legacy);
      }
}
