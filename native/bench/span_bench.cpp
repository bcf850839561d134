#include "span_bench.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <vector>

#include "clock.h"
#include "core/aligned_buffer.h"
#include "core/op/trim/range.h"
#include "core/op/trim/trim.h"
#include "rates.h"

namespace ristretto::bench {

namespace {

constexpr int kFewestRounds = 7;
constexpr double kRoundSeconds = 1e-3;
// What takes this long is timed once.
constexpr double kLongSeconds = 1;

Tensor integers(int32_t* data, int64_t count) {
  Tensor t = Tensor::of(nullptr, {count});
  t.data = data;
  t.type = DataType::i32;
  return t;
}

// Source, result, and the op on them.
class Pass {
 public:
  explicit Pass(const SpanProblem& problem)
      : problem_(problem), src_(size_t(problem.count) * sizeof(float)), dst_(src_.size()) {
    float* const data = static_cast<float*>(src_.data());
    for (int64_t i = 0; i < problem.count; ++i) data[i] = 9 * std::sin(float(i));
    std::memset(dst_.data(), 0, dst_.size());
    trim_.src = range_.src = Tensor::of(data, {problem.count});
    trim_.dst = Tensor::of(static_cast<float*>(dst_.data()), {problem.count});
    trim_.format = range_.format = problem.format;
    trim_.random = {1, 2, 3, 0};
    range_.extremes = Tensor::of(extremes_, {3});
    if (problem.format) range_.counts = integers(counts_, 3);
    problem.range ? Range::check(range_) : Trim::check(trim_);
  }

  void run(Context& context) { problem_.range ? Range::run(context, range_) : Trim::run(context, trim_); }
  void peak(Context& context) {
    if (problem_.range)
      sink_ = read_memory(context, src_.data(), int64_t(src_.size()));
    else
      copy_memory(context, src_.data(), dst_.data(), int64_t(src_.size()));
  }

  void verify(Context& context) {
    run(context);
    if (problem_.range)
      verify_range(context);
    else
      verify_trim();
  }

 private:
  void verify_trim() {
    std::vector<float> expected(static_cast<size_t>(problem_.count));
    trim_span_ref(trim_.src.f32(), expected.data(), problem_.count, trim_.format, trim_.random);
    require(std::memcmp(expected.data(), dst_.data(), dst_.size()) == 0, "trim differs from the definition");
  }
  void verify_range(Context& context) {
    float extremes[3];
    int32_t counts[3] = {};
    RangeArguments a = range_;
    a.extremes = Tensor::of(extremes, {3});
    if (a.counts) a.counts = integers(counts, 3);
    Range::rows().back().run(context, a);
    require(std::memcmp(extremes, extremes_, sizeof extremes) == 0 &&
                std::memcmp(counts, counts_, sizeof counts) == 0,
            "range differs from the definition");
  }

  SpanProblem problem_;
  AlignedBuffer src_, dst_;
  float extremes_[3] = {};
  int32_t counts_[3] = {};
  TrimArguments trim_;
  RangeArguments range_;
  std::atomic<int64_t> sink_{0};
};

}  // namespace

SpanTiming bench_span(Context& context, const SpanProblem& problem, double seconds) {
  require(problem.count >= 1 && problem.count <= int64_t{1} << 31, problem.count, " floats to be measured");
  require(problem.range || problem.format, "which format is trimmed to?");
  Pass pass(problem);
  pass.verify(context);
  pass.peak(context);

  double start = now();
  pass.run(context);
  const double once = now() - start;
  const int repeats = int(std::min(1e4, std::ceil(kRoundSeconds / std::max(once, 1e-7))));
  const int fewest = once > kLongSeconds ? 1 : kFewestRounds;
  Best best, peak;
  double spent = 0;
  for (int round = 0; round < fewest || spent < seconds; ++round) {
    start = now();
    for (int i = 0; i < repeats; ++i) pass.run(context);
    const double middle = now();
    for (int i = 0; i < repeats; ++i) pass.peak(context);
    spent += middle - start;
    best.add((middle - start) / repeats);
    peak.add((now() - middle) / repeats);
  }
  SpanTiming timing;
  timing.seconds = best.seconds;
  timing.bytes = double(problem.count) * sizeof(float);
  timing.peak = timing.bytes / peak.seconds;
  return timing;
}

}  // namespace ristretto::bench
