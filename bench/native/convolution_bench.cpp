// convolution_bench SHAPES [--threads 1,2] [--batch 1,25] [--isa auto] [--winograd 0|1] [--trim 0|1] [--only
// NAME]
// [--seconds 0.3] [--gradient data|weights] Every layer, or one of its gradients of a shape file: checked
// against the definition, then timed. Prints GFLOP/s (two per multiply-accumulate of the direct sum) and the
// share of the processor's measured multiply-add rate.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "bench/rates.h"
#include "core/op/convolution/convolution_gradient.h"

using namespace ristretto;

namespace {

struct Shape {
  std::string name;
  int64_t c, h, w, k, r, s, stride, pad, group;
};

struct Options {
  std::string shapes, only, isa = "auto", gradient;
  std::vector<int> threads{1, 2}, batches{1, 25};
  bool winograd = false, trim = false, cpu_clock = false;
  double seconds = 0.3;
};

std::vector<int> numbers(const std::string& text) {
  std::vector<int> list;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');) list.push_back(std::stoi(part));
  return list;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] {
      require(i + 1 < argc, flag, " needs a value");
      return std::string(argv[++i]);
    };
    if (flag == "--threads")
      o.threads = numbers(value());
    else if (flag == "--batch")
      o.batches = numbers(value());
    else if (flag == "--isa")
      o.isa = value();
    else if (flag == "--winograd")
      o.winograd = value() == "1";
    else if (flag == "--trim")
      o.trim = value() == "1";
    else if (flag == "--clock")
      o.cpu_clock = value() == "cpu";
    else if (flag == "--gradient") {
      o.gradient = value();
      require(o.gradient == "data" || o.gradient == "weights", "--gradient is data or weights");
    } else if (flag == "--only")
      o.only = value();
    else if (flag == "--seconds")
      o.seconds = std::stod(value());
    else
      o.shapes = flag;
  }
  require(!o.shapes.empty(), "which shape file?");
  return o;
}

std::vector<Shape> read_shapes(const std::string& path) {
  std::ifstream in(path);
  require(bool(in), "cannot read ", path);
  std::vector<Shape> shapes;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    Shape s;
    require(bool(fields >> s.name >> s.c >> s.h >> s.w >> s.k >> s.r >> s.s >> s.stride >> s.pad >> s.group),
            path, ": ", line);
    require(s.group >= 1 && s.c % s.group == 0, path, ": the groups do not divide the channels: ", line);
    shapes.push_back(s);
  }
  return shapes;
}

double now(bool cpu) {
  timespec t;
  clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// In huge pages, as the addon's blobs are.
struct Floats {
  AlignedBuffer buffer;
  float* data() const { return static_cast<float*>(buffer.data()); }
  int64_t size() const { return int64_t(buffer.size() / sizeof(float)); }
};

struct Problem {
  Floats src, weights, bias, dst, src_diff, weights_diff, bias_diff;
  PackedWeights packed;
  ConvolutionArguments a;
  ConvolutionGradientArguments gradient;
  const bool forward;

  Problem(const Shape& s, int64_t n, const Options& options) : forward(options.gradient.empty()) {
    const int64_t p = (s.h + 2 * s.pad - s.r) / s.stride + 1, q = (s.w + 2 * s.pad - s.s) / s.stride + 1;
    std::mt19937 engine(1);
    const auto fill = [&](Floats& v, int64_t count, float size) {
      v.buffer = AlignedBuffer(count * sizeof(float));
      for (int64_t i = 0; i < count; ++i) v.data()[i] = float(int32_t(engine())) * (size / 2147483648.0f);
    };
    fill(src, n * s.c * s.h * s.w, 1.0f);
    fill(weights, s.k * (s.c / s.group) * s.r * s.s, std::sqrt(3.0f / float(s.c / s.group * s.r * s.s)));
    fill(bias, s.k, 0.1f);
    fill(dst, n * s.k * p * q, forward ? 0.0f : 1.0f);
    a.src = Tensor::of(src.data(), {n, s.c, s.h, s.w});
    a.weights = Tensor::of(weights.data(), {s.k, s.c / s.group, s.r, s.s});
    a.bias = Tensor::of(bias.data(), {s.k});
    a.dst = Tensor::of(dst.data(), {n, s.k, p, q});
    a.group = s.group;
    a.stride_h = a.stride_w = s.stride;
    a.pad_h = a.pad_w = s.pad;
    a.relu = true;
    a.winograd = options.winograd;
    if (options.trim) {
      a.src_trim = {.kind = FormatKind::dynamic_fixed_point, .bit_width = 16, .fractional_length = 14};
      a.dst_trim = {.kind = FormatKind::dynamic_fixed_point, .bit_width = 16, .fractional_length = 12};
    }
    a.packed = &packed;
    a.weights_version = 1;
    if (forward) return;
    gradient.src = a.src, gradient.weights = a.weights, gradient.dst_diff = a.dst;
    gradient.group = a.group;
    gradient.stride_h = gradient.stride_w = s.stride;
    gradient.pad_h = gradient.pad_w = s.pad;
    gradient.winograd = a.winograd;
    if (options.gradient == "data") {
      fill(src_diff, src.size(), 0.0f);
      gradient.src_diff = a.src;
      gradient.src_diff.data = src_diff.data();
    } else {
      fill(weights_diff, weights.size(), 0.0f);
      fill(bias_diff, bias.size(), 0.0f);
      gradient.weights_diff = a.weights;
      gradient.weights_diff.data = weights_diff.data();
      gradient.bias_diff = a.bias;
      gradient.bias_diff.data = bias_diff.data();
    }
  }
  void run(Context& context) {
    if (forward)
      Convolution::run(context, a);
    else
      ConvolutionGradient::run(context, gradient);
  }
  // What `run` computes, by the definition, and where either leaves it.
  void define(Context& context) {
    if (forward) return convolution_ref(context, a);
    std::fill_n(result().data(), result().size(), 0.0f);
    convolution_gradient_ref(context, gradient);
  }
  Floats& result() { return forward ? dst : gradient.src_diff ? src_diff : weights_diff; }
  double mmac() const { return 1e-6 * double(a.dst.count(1)) * double(a.weights.count(1)); }
};

double error_of(const Shape& shape, const Options& options, const CpuFeatures& features) {
  Problem p(shape, 1, options);
  Context context(1, features);
  p.run(context);
  Floats& result = p.result();
  const std::vector<float> actual(result.data(), result.data() + result.size());
  p.define(context);
  double most = 0, error = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    most = std::max(most, double(std::fabs(result.data()[i])));
    error = std::max(error, double(std::fabs(actual[i] - result.data()[i])));
  }
  return error / most;
}

// Operations a second of one thread.
double measure_peak(const CpuFeatures& features) {
  const bench::RegisterLoop& loop = bench::float_loop(features);
  Context context(1, features);
  double best = 1e30;
  for (int round = 0; round < 50; ++round) best = std::min(best, bench::seconds_of(context, loop));
  return loop.operations / best;
}

int run(const Options& options) {
  const CpuFeatures features = limit_cpu_features(options.isa);
  const double peak = measure_peak(features) * 1e-9;
  std::printf("one core's multiply-add rate: %.0f GFLOP/s\n", peak);
  std::vector<Shape> shapes = read_shapes(options.shapes);
  std::erase_if(shapes, [&](const Shape& s) { return s.name.find(options.only) == std::string::npos; });
  std::vector<double> errors;
  for (const Shape& shape : shapes) {
    errors.push_back(error_of(shape, options, features));
    require(errors.back() < (options.trim ? 1e-3 : 1e-5), shape.name, " is off by ", errors.back());
  }
  for (int threads : options.threads) {
    for (int batch : options.batches) {
      std::printf("\n%d thread%s, batch %d\n%-18s %8s %9s %9s %6s  %s\n", threads, threads > 1 ? "s" : "",
                  batch, "layer", "MMAC", "ms/image", "GFLOP/s", "share", "max error / max");
      Context context(threads, features);
      double total = 0, total_mmac = 0;
      for (size_t i = 0; i < shapes.size(); ++i) {
        Problem p(shapes[i], batch, options);
        p.run(context);
        double best = 1e30;
        for (double spent = 0; spent < options.seconds;) {
          const double start = now(options.cpu_clock);
          p.run(context);
          const double s = (now(options.cpu_clock) - start) / (options.cpu_clock ? threads : 1);
          best = std::min(best, s);
          spent += s;
        }
        const double rate = 2e-3 * p.mmac() * batch / best;
        std::printf("%-18s %8.1f %9.3f %9.1f %5.0f%%  %.1e\n", shapes[i].name.c_str(), p.mmac(),
                    1e3 * best / batch, rate, 100 * rate / (peak * threads), errors[i]);
        total += best / batch;
        total_mmac += p.mmac();
      }
      const double rate = 2e-3 * total_mmac / total;
      std::printf("%-18s %8.1f %9.3f %9.1f %5.0f%%  %.1f images/s\n", "all", total_mmac, 1e3 * total, rate,
                  100 * rate / (peak * threads), 1 / total);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "convolution_bench: %s\n", e.what());
    return 1;
  }
}
