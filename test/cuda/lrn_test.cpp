// Local response normalisation and its gradient: on the device as on the processor.
#include "core/op/lrn.h"

#include "core/op/lrn_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  std::initializer_list<int64_t> dims;
  int64_t size, gap;
};
// Fewer channels than the window has; more than are read ahead; other sizes.
const Problem kProblems[] = {
    {{2, 3, 5, 7}, 5, 0}, {{2, 13, 4, 9}, 5, 11}, {{1, 16, 6, 6}, 3, 0}, {{2, 1, 3, 3}, 3, 0}};
const Problem kOtherSizes[] = {{{2, 9, 4, 5}, 7, 3}, {{1, 2, 8, 9}, 1, 0}};

template <class Arguments>
void set_window(Arguments& a, const Problem& p, LrnRegion region, float beta) {
  a.region = region;
  a.size = p.size;
  a.alpha = 0.3f, a.beta = beta, a.k = 1.5f;
}

void check_forward(const Problem& p, LrnRegion region, float beta, bool in_place) {
  Twin src(p.dims, 1, p.gap), dst(p.dims, 2);
  run_both<Lrn>([&](bool device) {
    LrnArguments a;
    a.src = src.tensor(device);
    a.dst = (in_place ? src : dst).tensor(device);
    set_window(a, p, region, beta);
    return a;
  });
  (in_place ? src : dst).check_close(beta == 0.9f ? 1e-6 : 0, "size ", p.size, " beta ", beta);
}

}  // namespace

TEST(lrn_equals_the_processors) {
  for (float beta : {0.75f, 0.5f, 1.0f, 0.9f}) {
    for (const Problem& p : kProblems)
      for (bool in_place : {false, true}) check_forward(p, LrnRegion::across_channels, beta, in_place);
    for (const Problem& p : kOtherSizes) check_forward(p, LrnRegion::across_channels, beta, false);
    for (const Problem& p : kProblems) check_forward(p, LrnRegion::within_channel, beta, false);
  }
}

TEST(gradients_equal_the_processors) {
  for (float beta : {0.75f, 0.5f, 1.0f, 0.9f})
    for (const Problem& p : kProblems) {
      Twin src(p.dims, 1, p.gap), dst_diff(p.dims, 2), src_diff(p.dims, 3, p.gap);
      run_both<LrnGradient>([&](bool device) {
        LrnGradientArguments a;
        a.src = src.tensor(device);
        a.dst_diff = dst_diff.tensor(device);
        a.src_diff = src_diff.tensor(device);
        set_window(a, p, LrnRegion::across_channels, beta);
        return a;
      });
      src_diff.check_close(beta == 0.9f ? 1e-6 : 0, "size ", p.size, " beta ", beta);
    }
}

TEST(what_needs_the_processor) {
  Twin data({1, 3, 4, 4}, 1);
  LrnArguments a;
  a.src = a.dst = data.tensor(true);
  a.size = 7;
  CHECK(!cuda::run(test_context(), a));
  a.size = 5;
  a.trim.kind = FormatKind::minifloat;
  CHECK(!cuda::run(test_context(), a));
}
