// trim_bench [--isa auto] [--megabytes 1,8,64] [--rounds 15]: trims and range analysis on one thread, each
// checked against the definition, then timed in turns with memcpy and with a plain read. Prints GB/s of the
// source and the share of the copy's (trims) or the read's (range) rate in the same round, as medians over
// the rounds.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/error.h"
#include "core/op/trim/range.h"
#include "core/op/trim/trim.h"
#include "trim_formats.h"

using namespace ristretto;
using bench::format_of;

namespace {

double seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Sums words as fast as they arrive: what reading alone costs.
uint64_t read_all(const float* data, int64_t count) {
  const uint64_t* words = reinterpret_cast<const uint64_t*>(data);
  uint64_t sum[8] = {};
  for (int64_t i = 0; i + 8 <= count / 2; i += 8)
    for (int lane = 0; lane < 8; ++lane) sum[lane] += words[i + lane];
  uint64_t total = 0;
  for (uint64_t s : sum) total += s;
  return total;
}

struct Case {
  std::string name;
  bool reads_only;
  std::function<void()> run;
  TrimFormat format;  // none: nothing to check
};

void measure(int64_t megabytes, int rounds, Context& context) {
  const int64_t count = megabytes << 18, bytes = count * 4;
  const AlignedBuffer in_buffer(static_cast<size_t>(bytes)), out_buffer(static_cast<size_t>(bytes));
  float* const in = static_cast<float*>(in_buffer.data());
  float* const out = static_cast<float*>(out_buffer.data());
  for (int64_t i = 0; i < count; ++i) in[i] = 9 * std::sin(float(i));
  const CpuFeatures& features = context.features;
  const RandomStream random = {1, 2, 3, 0};
  float extremes[3];
  int32_t counts[3];
  volatile uint64_t sink = 0;

  std::vector<Case> cases;
  cases.push_back({"memcpy", false, [&] { std::memcpy(out, in, size_t(bytes)); }, {}});
  cases.push_back({"read", true, [&] { sink = read_all(in, count); }, {}});
  const auto trim = [&](const char* name, FormatKind kind, Rounding rounding) {
    const TrimFormat f = format_of(kind, rounding);
    cases.push_back({name, false, [=, &features] { trim_span(in, out, count, f, random, features); }, f});
  };
  trim("fixed point, half away from zero", FormatKind::dynamic_fixed_point, Rounding::half_away_from_zero);
  trim("fixed point, half to even", FormatKind::dynamic_fixed_point, Rounding::half_to_even);
  trim("fixed point, stochastic", FormatKind::dynamic_fixed_point, Rounding::stochastic);
  trim("minifloat, half to even", FormatKind::minifloat, Rounding::half_to_even);
  trim("minifloat, stochastic", FormatKind::minifloat, Rounding::stochastic);
  trim("power of two", FormatKind::integer_power_of_two, Rounding::half_away_from_zero);
  const TrimFormat even = format_of(FormatKind::dynamic_fixed_point, Rounding::half_to_even);
  cases.push_back({"fixed point, half to even, in place",
                   false,
                   [=, &features] { trim_span(out, out, count, even, random, features); },
                   {}});
  RangeArguments range;
  range.src = Tensor::of(in, {count});
  range.extremes = Tensor::of(extremes, {3});
  cases.push_back({"range: extremes", true, [=, &context] { Range::run(context, range); }, {}});
  range.counts = Tensor::of(nullptr, {3});
  range.counts.data = counts;
  range.counts.type = DataType::i32;
  range.format = even;
  cases.push_back({"range: extremes, saturated", true, [=, &context] { Range::run(context, range); }, {}});

  std::vector<float> expected(static_cast<size_t>(count));
  for (const Case& c : cases) {
    if (!c.format) continue;
    c.run();
    trim_span_ref(in, expected.data(), count, c.format, random);
    require(std::memcmp(expected.data(), out, size_t(bytes)) == 0, c.name, " differs from the definition");
  }

  std::vector<std::vector<double>> times(cases.size());
  const int repeats = int(std::max<int64_t>(1, 32 / megabytes));
  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < cases.size(); ++i) {
      cases[i].run();
      const double start = seconds();
      for (int r = 0; r < repeats; ++r) cases[i].run();
      times[i].push_back((seconds() - start) / repeats);
    }
  std::printf("%lld MB\n", static_cast<long long>(megabytes));
  for (size_t i = 0; i < cases.size(); ++i) {
    std::vector<double> share;
    for (int round = 0; round < rounds; ++round)
      share.push_back(times[cases[i].reads_only ? 1 : 0][size_t(round)] / times[i][size_t(round)]);
    std::printf("  %-38s %7.2f GB/s  %4.0f %% of %s\n", cases[i].name.c_str(),
                double(bytes) / median(times[i]) * 1e-9, 100 * median(share),
                cases[i].reads_only ? "reading" : "memcpy");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::string isa = "auto", sizes = "1,8,64";
  int rounds = 15;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    require(i + 1 < argc, flag, " needs a value");
    if (flag == "--isa")
      isa = argv[++i];
    else if (flag == "--megabytes")
      sizes = argv[++i];
    else if (flag == "--rounds")
      rounds = std::stoi(argv[++i]);
    else
      fail("unknown flag ", flag);
  }
  require(rounds > 0, "--rounds must be at least 1");
  Context context(1, limit_cpu_features(isa));
  std::stringstream list(sizes);
  for (std::string size; std::getline(list, size, ',');) measure(std::stoi(size), rounds, context);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "trim_bench: %s\n", e.what());
  return 1;
}
