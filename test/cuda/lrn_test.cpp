// Local response normalisation and its gradient: on the device as on the processor.
#include "core/op/normalization/lrn.h"

#include "../native/float_cases.h"
#include "core/op/normalization/lrn_gradient.h"
#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t n, c, h, w, size, gap;
  Twin twin(uint32_t seed, int64_t gap) const { return Twin({n, c, h, w}, seed, gap); }
  std::string text() const { return check::text(n, " x ", c, " x ", h, " x ", w, " size ", size); }
};

// Fewer channels than the window has; more than are read ahead; sizes that registers hold and others; windows
// wider than the image; at random.
std::vector<Problem> problems() {
  std::vector<Problem> all = {{2, 3, 5, 7, 5, 0}, {2, 13, 4, 9, 5, 11}, {1, 16, 6, 6, 3, 0},
                              {2, 1, 3, 3, 3, 0}, {2, 9, 4, 5, 7, 3},   {1, 2, 8, 9, 1, 0}};
  cases::Random random(1);
  for (int i = 0; i < 12; ++i)
    all.push_back({random.integer(1, 3), random.integer(1, 20), random.integer(1, 9), random.integer(1, 9),
                   2 * random.integer(0, 6) + 1, random.integer(0, 1) ? random.integer(1, 9) : 0});
  return all;
}

constexpr LrnRegion kRegions[] = {LrnRegion::across_channels, LrnRegion::within_channel};

template <class Arguments>
void set_window(Arguments& a, const Problem& p, LrnRegion region, float beta) {
  a.region = region;
  a.size = p.size;
  a.alpha = 0.3f, a.beta = beta, a.k = 1.5f;
}

void check_forward(const Problem& p, LrnRegion region, float beta, bool in_place,
                   const TrimFormat& trim = {}) {
  Twin src = p.twin(1, p.gap), dst = p.twin(2, 0);
  run_both<Lrn>([&](bool device) {
    LrnArguments a;
    a.src = src.tensor(device);
    a.dst = (in_place ? src : dst).tensor(device);
    set_window(a, p, region, beta);
    a.trim = trim;
    return a;
  });
  const Twin& result = in_place ? src : dst;
  const std::string where =
      check::text(p.text(), " region ", int(region), " beta ", beta, in_place ? " in place" : "");
  if (trim)
    result.check_equal(where);
  else
    result.check_close(beta == 0.9f ? 1e-6 : 0, where);
}

// Down to one bit of mantissa and to ranges that sums leave.
std::vector<TrimFormat> minifloats() {
  std::vector<TrimFormat> all;
  for (const Rounding rounding :
       {Rounding::half_to_even, Rounding::half_away_from_zero, Rounding::half_up, Rounding::floor})
    for (const auto& [mantissa, exponent] :
         {std::pair(10, 5), std::pair(3, 4), std::pair(1, 3), std::pair(23, 8)}) {
      TrimFormat format;
      format.kind = FormatKind::minifloat;
      format.mantissa_bits = mantissa, format.exponent_bits = exponent;
      format.rounding = rounding;
      all.push_back(format);
    }
  return all;
}

}  // namespace

TEST(lrn_equals_the_processors) {
  for (float beta : {0.75f, 0.5f, 1.0f, 0.9f})
    for (const Problem& p : problems())
      for (LrnRegion region : kRegions)
        for (bool in_place : {false, true}) check_forward(p, region, beta, in_place);
}

TEST(trimmed_steps_equal_the_processors) {
  int at = 0;
  for (const TrimFormat& format : minifloats())
    for (const Problem& p : problems()) {
      check_forward(p, LrnRegion::across_channels, at % 3 ? 0.75f : 0.9f, at % 2, format);
      ++at;
    }
}

TEST(a_window_of_any_size_ends_with_the_channels) {
  const Problem p{1, 4, 2, 3, (int64_t{1} << 31) - 1, 0};
  Twin src = p.twin(1, 0), wide = p.twin(2, 0), all = p.twin(3, 0);
  const auto run = [&](const Twin& dst, int64_t size) {
    LrnArguments a;
    a.src = src.tensor(true), a.dst = dst.tensor(true);
    a.size = size, a.alpha = float(size);
    a.trim = minifloats()[0];
    CHECK(cuda::run(test_context(), a));
    test_context().synchronize();
  };
  run(wide, p.size);
  run(all, 7);
  for (int64_t i = 0; i < 24; ++i) CHECK_EQUAL(wide.tensor(true).f32()[i], all.tensor(true).f32()[i]);
}

TEST(a_nan_among_what_is_trimmed_is_an_error) {
  for (int64_t size : {5, 7}) {
    const Problem p{1, 6, 3, 3, size, 0};
    Twin src = p.twin(1, 0), dst = p.twin(2, 0);
    src.tensor(true).f32()[40] = float_of(0x7FC00000u);
    LrnArguments a;
    a.src = src.tensor(true), a.dst = dst.tensor(true);
    a.size = size;
    a.trim = minifloats()[0];
    test_context().begin_op("norm");
    CHECK(cuda::run(test_context(), a));
    std::string error;
    try {
      test_context().synchronize();
    } catch (const Error& e) {
      error = e.what();
    }
    CHECK_EQUAL(error, std::string("norm: NaN in the data to be trimmed"), "size ", size);
  }
}

TEST(gradients_equal_the_processors) {
  for (float beta : {0.75f, 0.5f, 1.0f, 0.9f})
    for (const Problem& p : problems())
      for (LrnRegion region : kRegions) {
        Twin src = p.twin(1, p.gap), dst_diff = p.twin(2, 0), src_diff = p.twin(3, p.gap);
        run_both<LrnGradient>([&](bool device) {
          LrnGradientArguments a;
          a.src = src.tensor(device);
          a.dst_diff = dst_diff.tensor(device);
          a.src_diff = src_diff.tensor(device);
          set_window(a, p, region, beta);
          return a;
        });
        src_diff.check_close(beta == 0.9f ? 1e-6 : 0, p.text(), " region ", int(region), " beta ", beta);
      }
}
