#include "spans.h"

#include <cmath>
#include <cstring>

#include "../trim_formats.h"
#include "core/aligned_buffer.h"
#include "core/op/trim/range.h"
#include "core/op/trim/trim.h"
#include "cuda/ops.h"

namespace ristretto::bench {

namespace {

struct NamedFormat {
  const char* name;
  TrimFormat format;
};

const NamedFormat formats[] = {
    {"fixed point, nearest", format_of(FormatKind::dynamic_fixed_point, Rounding::half_away_from_zero)},
    {"fixed point, stochastic", format_of(FormatKind::dynamic_fixed_point, Rounding::stochastic)},
    {"minifloat, nearest", format_of(FormatKind::minifloat, Rounding::half_to_even)},
    {"minifloat, stochastic", format_of(FormatKind::minifloat, Rounding::stochastic)},
    {"power of two", format_of(FormatKind::integer_power_of_two, Rounding::half_away_from_zero)},
};

// A layer's worth, and more than any cache holds.
std::vector<int64_t> counts(const Machine& machine) {
  if (machine.effort.smoke) return {1003, 4096};
  return {int64_t{1} << 20, int64_t{1} << 26};
}

Tensor integers(void* data, int64_t count) {
  Tensor t = Tensor::of(nullptr, {count});
  t.data = data;
  t.type = DataType::i32;
  return t;
}

void fill(const Memory& memory) {
  float* const data = memory.of<float>();
  uint32_t state = 1;
  for (int64_t i = 0; i < memory.size() / 4; ++i)
    data[i] = float(int32_t(state = state * 1664525u + 1013904223u)) * 0x1p-28f;
}

void check_trim(Machine& machine, TrimArguments a) {
  Trim::check(a);
  const int64_t bytes = a.src.count() * 4;
  std::memset(a.dst.data, 0x55, size_t(bytes));
  cuda::run(machine.device, a);
  machine.device.synchronize();
  AlignedBuffer expected{size_t(bytes)};
  const void* const found = a.dst.data;
  a.dst.data = expected.data();
  Trim::run(machine.cpu, a);
  require(std::memcmp(found, expected.data(), size_t(bytes)) == 0, "trim differs from the CPU's");
}

void check_range(Machine& machine, RangeArguments a) {
  Range::check(a);
  cuda::run(machine.device, a);
  machine.device.synchronize();
  const void* const extremes = a.extremes.data;
  const void* const counts = a.counts.data;
  float expected_extremes[3] = {};
  int32_t expected_counts[3] = {};
  a.extremes.data = expected_extremes;
  a.counts.data = expected_counts;
  Range::run(machine.cpu, a);
  require(std::memcmp(extremes, expected_extremes, sizeof expected_extremes) == 0 &&
              std::memcmp(counts, expected_counts, sizeof expected_counts) == 0,
          "range differs from the CPU's");
}

// Whether the device has a kernel for it; what does not run leaves the device as it is.
template <class Arguments>
bool runs_on_device(Machine& machine, const Arguments& a) {
  const bool on_device = cuda::run(machine.device, a);
  machine.device.synchronize();
  return on_device;
}

std::vector<SpanRow> bench_trims(Machine& machine, RateMeter& meter, const Rates& rates) {
  std::vector<SpanRow> rows;
  for (const int64_t count : counts(machine)) {
    Memory src(machine, count * 4), dst(machine, count * 4);
    fill(src);
    for (const NamedFormat& named : formats) {
      TrimArguments a;
      a.src = Tensor::of(src.of<float>(), {count});
      a.dst = Tensor::of(dst.of<float>(), {count});
      a.format = named.format;
      a.random = {1, 2, 3, 0};
      SpanRow row{"trim", named.name, count, runs_on_device(machine, a), 0, 8.0 * double(count), 0};
      if (row.on_device) {
        check_trim(machine, a);
        const auto seconds =
            seconds_in_turns(machine, {[&] { cuda::run(machine.device, a); }, meter.copy_pass()});
        row.seconds = seconds[0];
        row.peak = meter.cached(row.bytes) ? rates.cached_read : meter.copy_rate(seconds[1]);
      }
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<SpanRow> bench_ranges(Machine& machine, RateMeter& meter, const Rates& rates) {
  std::vector<SpanRow> rows;
  for (const int64_t count : counts(machine)) {
    Memory src(machine, count * 4), extremes(machine, 3 * 4), found(machine, 3 * 4);
    fill(src);
    for (const bool saturated : {false, true}) {
      RangeArguments a;
      a.src = Tensor::of(src.of<float>(), {count});
      a.extremes = Tensor::of(extremes.of<float>(), {3});
      a.counts = integers(found.bytes(), 3);
      if (saturated) a.format = formats[0].format;
      SpanRow row{"range", saturated ? "extremes, saturated" : "extremes",
                  count,   runs_on_device(machine, a),
                  0,       4.0 * double(count),
                  0};
      if (row.on_device) {
        check_range(machine, a);
        const auto seconds =
            seconds_in_turns(machine, {[&] { cuda::run(machine.device, a); }, meter.read_pass()});
        row.seconds = seconds[0];
        row.peak = meter.cached(row.bytes) ? rates.cached_read : meter.read_rate(seconds[1]);
      }
      rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace

std::vector<SpanRow> bench_spans(Machine& machine, RateMeter& meter, const Rates& rates,
                                 const std::string& op) {
  return op == "trim" ? bench_trims(machine, meter, rates) : bench_ranges(machine, meter, rates);
}

}  // namespace ristretto::bench
