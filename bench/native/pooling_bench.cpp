// pooling_bench [--isa auto] [--images 5] [--rounds 21]: SqueezeNet's poolings on one thread, each checked
// against the definition, then timed in turns with a memcpy of its input. Prints milliseconds of processor
// time an image and the share of the copy's rate (bytes read and written a second), as medians over the
// rounds.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "core/op/pooling/pooling.h"
#include "core/op/pooling/pooling_gradient.h"

using namespace ristretto;

namespace {

struct Problem {
  const char* name;
  PoolingKind kind;
  int64_t channels, size, kernel, stride;
};

const Problem problems[] = {
    {"max 3x3/2, 96 x 111 x 111", PoolingKind::max, 96, 111, 3, 2},
    {"max 3x3/2, 256 x 55 x 55", PoolingKind::max, 256, 55, 3, 2},
    {"max 3x3/2, 512 x 27 x 27", PoolingKind::max, 512, 27, 3, 2},
    {"mean of all, 1000 x 13 x 13", PoolingKind::average, 1000, 13, 13, 1},
};

double seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Medians over rounds in which a copy of `src` takes turns with the work: the work's seconds, and the copy's
// as a share of them.
struct Timing {
  double work, copy_share;
};
template <class Work>
Timing time_beside_copy(const std::vector<float>& src, int rounds, const Work& work) {
  std::vector<float> copy(src.size());
  std::vector<double> times, shares;
  for (int round = 0; round < rounds; ++round) {
    const double start = seconds();
    std::memcpy(copy.data(), src.data(), src.size() * sizeof(float));
    const double middle = seconds();
    work();
    times.push_back(seconds() - middle);
    shares.push_back((middle - start) / times.back());
  }
  return {median(times), median(shares)};
}

void run(const Problem& problem, Context& context, int64_t images, int rounds) {
  const int64_t size = problem.size, out = (size - problem.kernel) / problem.stride + 1;
  std::vector<float> src(size_t(images * problem.channels * size * size));
  uint32_t state = 1;
  for (float& x : src) x = float(int32_t(state = state * 1664525u + 1013904223u)) * 0x1p-31f;
  std::vector<float> dst(size_t(images * problem.channels * out * out)), expected(dst.size());
  PoolingArguments a;
  a.kind = problem.kind;
  a.src = Tensor::of(src.data(), {images, problem.channels, size, size});
  a.dst = Tensor::of(expected.data(), {images, problem.channels, out, out});
  a.kernel_h = a.kernel_w = problem.kernel;
  a.stride_h = a.stride_w = problem.stride;
  Pooling::check(a);
  pooling_ref(context, a);
  a.dst.data = dst.data();
  Pooling::run(context, a);
  const float tolerance = problem.kind == PoolingKind::max ? 0.0f : 1e-5f;
  for (size_t i = 0; i < dst.size(); ++i)
    require(std::fabs(dst[i] - expected[i]) <= tolerance, problem.name, ": element ", i, " is ", dst[i],
            ", not ", expected[i]);

  const Timing t = time_beside_copy(src, rounds, [&] { Pooling::run(context, a); });
  const double moved = double(src.size() + dst.size());  // floats; the copy moves each of src twice
  std::printf("%-28s %-9s %7.3f ms/image %6.1f GB/s %4.0f %% of memcpy\n", problem.name,
              select_kernel(Pooling::rows(), a, context.features).name, t.work * 1e3 / double(images),
              4e-9 * moved / t.work, 100 * t.copy_share * moved / (2 * double(src.size())));
}

// Of a maximum with the ReLU in front of it.
void run_gradient(const Problem& problem, Context& context, int64_t images, int rounds) {
  const int64_t size = problem.size, out = (size - problem.kernel) / problem.stride + 1;
  std::vector<float> src(size_t(images * problem.channels * size * size)), src_diff(src.size());
  std::vector<float> dst_diff(size_t(images * problem.channels * out * out));
  uint32_t state = 1;
  for (std::vector<float>* all : {&src, &dst_diff})
    for (float& x : *all) x = float(int32_t(state = state * 1664525u + 1013904223u)) * 0x1p-31f;
  PoolingGradientArguments a;
  a.src = Tensor::of(src.data(), {images, problem.channels, size, size});
  a.src_diff = Tensor::of(src_diff.data(), {images, problem.channels, size, size});
  a.dst_diff = Tensor::of(dst_diff.data(), {images, problem.channels, out, out});
  a.kernel_h = a.kernel_w = problem.kernel;
  a.stride_h = a.stride_w = problem.stride;
  a.rectified = true;
  PoolingGradient::check(a);
  pooling_gradient_ref(context, a);
  const std::vector<float> expected = src_diff;
  PoolingGradient::run(context, a);
  require(src_diff == expected, "gradient of ", problem.name, " differs from the definition");
  const Timing t = time_beside_copy(src, rounds, [&] { PoolingGradient::run(context, a); });
  std::printf("gradient, %-18s %-9s %7.3f ms/image %4.0f %% of the rate of memcpy\n", problem.name,
              select_kernel(PoolingGradient::rows(), a, context.features).name, t.work * 1e3 / double(images),
              100 * t.copy_share);
}

}  // namespace

int main(int argc, char** argv) {
  std::string isa = "auto";
  int64_t images = 5;
  int rounds = 21;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--isa") isa = argv[i + 1];
    if (flag == "--images") images = std::atoi(argv[i + 1]);
    if (flag == "--rounds") rounds = std::atoi(argv[i + 1]);
  }
  try {
    require(images >= 1 && images <= 256 && rounds >= 1, "images must be from 1 to 256, rounds at least 1");
    Context context(1, limit_cpu_features(isa));
    for (const Problem& problem : problems) run(problem, context, images, rounds);
    for (const Problem& problem : problems)
      if (problem.kind == PoolingKind::max) run_gradient(problem, context, images, rounds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pooling_bench: %s\n", error.what());
    return 1;
  }
}
