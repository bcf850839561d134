// The sum of squares of many tensors: blocks add up parts of them in double, a second launch the blocks.
#include "core/op/rows/sum_of_squares.h"

#include <algorithm>
#include <cstring>

#include "core/format/float_bits.h"
#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kInFlight = 4;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(double);
// Tensors of one launch.
constexpr int kMostTensors = 96;

struct SquaresJob {
  const float* src[kMostTensors];
  int64_t count[kMostTensors];
  double* sums;  // one a block
};

RISTRETTO_DEVICE double square(uint32_t bits) {
  const double x = double(float_of(bits));
  return x * x;
}

RISTRETTO_KERNEL(kThreads, 4)
square_parts(SquaresJob job) {
  const float* src = job.src[block_index(1)];
  const int64_t count = job.count[block_index(1)];
  const int64_t vectors = reinterpret_cast<uintptr_t>(src) % 16 == 0 ? count / 4 : 0;
  double sums[kInFlight] = {};
  for (int64_t base = int64_t{block_index()} * kThreads * kInFlight; base < vectors;
       base += int64_t{kThreads} * blocks() * kInFlight) {
    Vector16 in[kInFlight] = {};
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      const int64_t at = base + i * kThreads + thread_index();
      if (at < vectors) in[i] = *reinterpret_cast<const Vector16*>(src + 4 * at);
    }
#pragma unroll
    for (int i = 0; i < kInFlight; ++i)
#pragma unroll
      for (int e = 0; e < 4; ++e) sums[i] += square(in[i].word[e]);
  }
  for (int64_t at = 4 * vectors + int64_t{block_index()} * kThreads + thread_index(); at < count;
       at += int64_t{kThreads} * blocks())
    sums[0] += square(bits_of(src[at]));
  const double sum =
      block_fold((sums[0] + sums[1]) + (sums[2] + sums[3]), 0.0, shared_memory<double>(), Sum());
  if (thread_index() == 0) job.sums[block_index(1) * blocks() + block_index()] = sum;
}

// dst takes the bits of a float64 as two int32, which may not lie where a float64 may.
RISTRETTO_KERNEL(kThreads, 1)
add_parts(const double* sums, int64_t count, int32_t* dst) {
  double sum = 0;
  for (int64_t i = thread_index(); i < count; i += kThreads) sum += sums[i];
  sum = block_fold(sum, 0.0, shared_memory<double>(), Sum());
  if (thread_index() != 0) return;
  int32_t words[2];
  memcpy(words, &sum, sizeof sum);
  dst[0] = words[0];
  dst[1] = words[1];
}

}  // namespace

bool run(Context& context, const SumOfSquaresArguments& s) {
  int64_t longest = 0;
  for (const Tensor& src : s.srcs) longest = std::max(longest, src.count());
  constexpr int64_t kPart = int64_t{kThreads} * kInFlight * 4;
  const int64_t most = int64_t{2} * context.device().multiprocessors;
  const int parts = int(std::clamp<int64_t>((longest + kPart - 1) / kPart, 1, most));
  const int64_t tensors = int64_t(s.srcs.size());
  auto* sums = static_cast<double*>(context.scratch(size_t(tensors * parts + 1) * sizeof(double)));
  for (int64_t first = 0; first < tensors; first += kMostTensors) {
    SquaresJob job{};
    const int here = int(std::min<int64_t>(kMostTensors, tensors - first));
    for (int t = 0; t < here; ++t) {
      job.src[t] = s.srcs[size_t(first + t)].f32();
      job.count[t] = s.srcs[size_t(first + t)].count();
    }
    job.sums = sums + first * parts;
    launch(context, "square_parts", Grid{parts, here, 1}, kThreads, kSlotBytes, square_parts, job);
  }
  launch(context, "add_parts", Grid{}, kThreads, kSlotBytes, add_parts, sums, tensors * parts,
         static_cast<int32_t*>(s.dst.data));
  return true;
}

}  // namespace ristretto::cuda
