// cuda_bench [--only trim,range,convolution] [--shapes bench/shapes] [--batch 1,256] [--weights_bits 8]
//            [--rounds 7] [--json FILE] [--device 0] [--smoke] [--check]
//
// What a GPU can do at best (copy, read, int8 matrix products), then how much of that the kernels of the CUDA
// backend use: each is first checked against the CPU, then timed by events on the device, in turns with the
// rates it is compared with; medians over the rounds. "warp groups": how many times as fast Hopper's own
// kernel is. A problem that occurs more than once is measured once.
// --smoke: tiny problems, few rounds, for a test. --check: says only whether there is a GPU to be used.
// Exit code 77: there is none; 1: something failed, and all else was measured.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "core/error.h"
#include "cuda/convolutions.h"
#include "cuda/json.h"
#include "cuda/rates.h"
#include "cuda/shapes.h"
#include "cuda/spans.h"

using namespace ristretto;
using namespace ristretto::bench;

namespace {

constexpr int kNoGpu = 77;

struct Options {
  std::vector<std::string> only = {"trim", "range", "convolution"};
  std::string shapes = "bench/shapes", json;
  std::vector<int64_t> batches = {1, 256};
  int weights_bits = 8, rounds = 7, device = 0;
  bool smoke = false, check = false;
};

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

int64_t integer_of(const std::string& flag, const std::string& text, int64_t least, int64_t most) {
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  require(!text.empty() && *end == 0 && value >= least && value <= most, flag, ": '", text,
          "' is no whole number from ", least, " to ", most);
  return value;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--smoke") {
      o.smoke = true;
      o.batches = {1, 3};
      o.rounds = 1;
      continue;
    }
    if (flag == "--check") {
      o.check = true;
      continue;
    }
    require(i + 1 < argc, flag, " wants a value, or is no flag");
    const std::string value = argv[++i];
    if (flag == "--only") {
      o.only = parts_of(value);
      for (const std::string& op : o.only)
        require(op == "trim" || op == "range" || op == "convolution", "--only: '", op,
                "' is not trim, range or convolution");
    } else if (flag == "--shapes") {
      o.shapes = value;
    } else if (flag == "--json") {
      o.json = value;
    } else if (flag == "--batch") {
      o.batches.clear();
      for (const std::string& part : parts_of(value)) o.batches.push_back(integer_of(flag, part, 1, 1 << 14));
    } else if (flag == "--weights_bits") {
      o.weights_bits = int(integer_of(flag, value, 2, 8));
    } else if (flag == "--rounds") {
      o.rounds = int(integer_of(flag, value, 1, 1000));
    } else if (flag == "--device") {
      o.device = int(integer_of(flag, value, 0, 1023));
    } else {
      fail("there is no flag ", flag);
    }
  }
  return o;
}

std::string report_device(const cuda::DeviceInfo& d) {
  std::printf("%s, compute capability %d.%d, %d multiprocessors, %.1f GB, %.1f MB of second-level cache\n",
              d.name.c_str(), d.major, d.minor, d.multiprocessors, 1e-9 * double(d.memory_bytes),
              1e-6 * d.l2_bytes);
  return JsonObject()
      .text("name", d.name)
      .number("capability", d.capability())
      .number("multiprocessors", d.multiprocessors)
      .number("memory_bytes", double(d.memory_bytes))
      .number("l2_bytes", d.l2_bytes)
      .str();
}

std::string report_rates(const Rates& r) {
  std::printf(
      "copy %.0f GB/s (read and written)   read %.0f GB/s   read of the cache %.0f GB/s\n"
      "int8 mma.sync %.1f TOP/s   a launch %.2f us\n\n",
      1e-9 * r.copy, 1e-9 * r.read, 1e-9 * r.cached_read, 1e-12 * r.multiply, 1e6 * r.launch);
  return JsonObject()
      .number("copy_bytes_per_s", r.copy)
      .number("read_bytes_per_s", r.read)
      .number("cached_read_bytes_per_s", r.cached_read)
      .number("int8_mma_ops_per_s", r.multiply)
      .number("launch_s", r.launch)
      .str();
}

std::string report_span(const SpanRow& row) {
  const std::string what = row.op + ", " + row.format;
  JsonObject json;
  json.text("op", row.op).text("format", row.format).number("count", double(row.count));
  json.flag("on_device", row.on_device);
  if (!row.on_device) {
    std::printf("%-36s %9lld  on the CPU: no kernel\n", what.c_str(), static_cast<long long>(row.count));
    return json.str();
  }
  const double rate = row.bytes / row.seconds;
  std::printf("%-36s %9lld %10.1f us %8.0f GB/s %5.0f %%\n", what.c_str(), static_cast<long long>(row.count),
              1e6 * row.seconds, 1e-9 * rate, 100 * rate / row.peak);
  return json.number("seconds", row.seconds)
      .number("bytes_per_s", rate)
      .number("share", rate / row.peak)
      .str();
}

std::string report_convolution(const std::string& net, const Shape& shape, int64_t images,
                               const ConvolutionRow& row) {
  JsonObject json;
  json.text("net", net).text("layer", shape.name).text("problem", shape.problem());
  json.number("batch", double(images)).flag("on_device", row.on_device);
  if (!row.left_out.empty()) {
    std::printf("  batch %3lld: %-24s", static_cast<long long>(images), row.left_out.c_str());
    return json.text("left_out", row.left_out).str();
  }
  std::printf("  %10.1f us %7.2f TOP/s %4.0f %%", 1e6 * row.seconds, 1e-12 * row.operations / row.seconds,
              100 * row.floor / row.seconds);
  if (row.warpgroup_seconds > 0) {
    std::printf("  warp groups %.2f", row.seconds / row.warpgroup_seconds);
    json.number("warpgroup_seconds", row.warpgroup_seconds);
  }
  return json.number("seconds", row.seconds)
      .number("ops_per_s", row.operations / row.seconds)
      .number("floor_s", row.floor)
      .number("share", row.floor / row.seconds)
      .str();
}

// Every layer of every net, a line each; a problem that was measured before is not measured again.
class Convolutions {
 public:
  Convolutions(Machine& machine, RateMeter& meter, const Rates& rates, const Options& options)
      : machine_(machine), meter_(meter), rates_(rates), options_(options) {}

  std::vector<std::string> run() {
    for (const ShapeFile& file : read_shapes(options_.shapes)) run_net(file);
    return std::move(json_);
  }
  bool well() const { return well_; }

 private:
  struct Sum {
    double seconds = 0, floor = 0;
    bool whole = true;
  };

  void run_net(const ShapeFile& file) {
    std::printf("\n%-28s %-30s", file.net.c_str(), "C x H x W, K x R x S /stride +pad");
    for (const int64_t images : options_.batches)
      std::printf("   %26s %-5lld", "batch", static_cast<long long>(images));
    std::printf("\n");
    std::vector<Sum> sums(options_.batches.size());
    int taken_here = 0;
    for (const Shape& shape : file.shapes) {
      const Shape taken = options_.smoke ? shrunk(shape) : shape;
      const bool first_met = !measured_.count({taken.problem(), options_.batches.front()});
      if (options_.smoke && (!first_met || ++taken_here > kSmokeRows)) continue;
      std::printf("%-28s %-30s", taken.name.c_str(), taken.problem().c_str());
      for (size_t i = 0; i < options_.batches.size(); ++i) {
        const ConvolutionRow& row = measured(taken, options_.batches[i]);
        json_.push_back(report_convolution(file.net, taken, options_.batches[i], row));
        sums[i].seconds += row.seconds;
        sums[i].floor += row.floor;
        sums[i].whole = sums[i].whole && row.left_out.empty();
      }
      std::printf("\n");
      std::fflush(stdout);
    }
    for (size_t i = 0; i < sums.size(); ++i)
      if (!options_.smoke && sums[i].whole && sums[i].seconds > 0)
        std::printf("%s, all layers, batch %lld: %.3f ms, %.0f %% of the roofline, %.0f images/s\n",
                    file.net.c_str(), static_cast<long long>(options_.batches[i]), 1e3 * sums[i].seconds,
                    100 * sums[i].floor / sums[i].seconds, double(options_.batches[i]) / sums[i].seconds);
  }

  const ConvolutionRow& measured(const Shape& shape, int64_t images) {
    const auto key = std::make_pair(shape.problem(), images);
    const auto known = measured_.find(key);
    if (known != measured_.end()) return known->second;
    ConvolutionRow& row = measured_[key];
    try {
      row = bench_convolution(machine_, meter_, rates_, shape, images, options_.weights_bits);
    } catch (const MemoryError& e) {
      row.left_out = e.what();
    } catch (const Error& e) {
      row.left_out = std::string("FAILED: ") + e.what();
      well_ = false;
    }
    return row;
  }

  static constexpr int kSmokeRows = 4;  // of a net
  Machine& machine_;
  RateMeter& meter_;
  const Rates& rates_;
  const Options& options_;
  std::map<std::pair<std::string, int64_t>, ConvolutionRow> measured_;
  std::vector<std::string> json_;
  bool well_ = true;
};

// Whether all went well.
bool run(const Options& options) {
  Effort effort;
  effort.smoke = options.smoke;
  effort.rounds = options.rounds;
  Machine machine(options.device, effort);
  JsonObject json;
  json.raw("device", report_device(machine.device.device()));
  RateMeter meter(machine);
  const Rates rates = meter.measure();
  json.raw("rates", report_rates(rates));

  bool well = true;
  std::vector<std::string> spans, convolutions;
  for (const std::string& op : options.only) {
    if (op == "convolution") {
      Convolutions all(machine, meter, rates, options);
      convolutions = all.run();
      well = well && all.well();
      continue;
    }
    try {
      for (const SpanRow& row : bench_spans(machine, meter, rates, op)) spans.push_back(report_span(row));
    } catch (const Error& e) {
      std::printf("%s: FAILED: %s\n", op.c_str(), e.what());
      well = false;
    }
    std::fflush(stdout);
  }
  json.number("weights_bits", options.weights_bits);
  json.raw("spans", json_array(spans)).raw("convolutions", json_array(convolutions));
  if (options.json.empty()) return well;
  std::ofstream out(options.json);
  out << json.str() << "\n";
  out.flush();
  require(out.good(), "cannot write ", options.json);
  return well;
}

}  // namespace

int main(int argc, char** argv) {
#if defined(RISTRETTO_CUDA_EMULATED)
  setenv("RISTRETTO_EMULATED_GPU", "1", 1);
#endif
  try {
    const Options options = parse(argc, argv);
    std::string why;
    const std::vector<cuda::DeviceInfo> devices = cuda::devices(why);
    if (size_t(options.device) < devices.size()) why = devices[size_t(options.device)].unusable;
    if (devices.empty() || !why.empty()) {
      std::fprintf(stderr, "cuda_bench: no GPU: %s\n", why.c_str());
      return kNoGpu;
    }
    if (options.check) return 0;
    return run(options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cuda_bench: %s\n", error.what());
    return 1;
  }
}
