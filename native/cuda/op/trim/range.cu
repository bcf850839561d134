// Range analysis in one pass: every block notes what it has seen, a second launch puts the blocks together.
// All results are integers or extremes, so the split into blocks cannot show.
#include "core/op/trim/range.h"

#include <limits>

#include "core/format/float_bits.h"
#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/spans.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
// Vectors that a thread has under way at once.
constexpr int kInFlight = 4;
constexpr int kExponents = 256;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Seen {
  float least, greatest;
  uint32_t nans, infinities, saturated, unused[3];
};
static_assert(sizeof(Seen) == 32);

struct RangeJob {
  const float* src;
  Spans spans;
  float low, high;      // what does not saturate
  Seen* seen;           // one a block
  uint32_t* exponents;  // kExponents a block, or null
  bool vectors;
};

struct RangeResults {
  float* extremes;
  int32_t *counts, *exponents;  // or null
  bool accumulate;
};

// Exponent e of lane l is counted at e * kWarp + l: no two lanes of a warp meet in a bank.
RISTRETTO_DEVICE int32_t* exponent_table() { return shared_memory<int32_t>(); }
constexpr size_t kTableBytes = size_t{kExponents} * kWarp * sizeof(int32_t);
constexpr size_t kSlotBytes = kWarps * sizeof(uint32_t);

template <bool kCounts, bool kTable>
RISTRETTO_DEVICE void see(uint32_t bits, const RangeJob& job, Seen& seen) {
  const float x = float_of(bits);
  seen.least = x < seen.least ? x : seen.least;
  seen.greatest = x > seen.greatest ? x : seen.greatest;
  if (kCounts) {
    const uint32_t magnitude = bits & FloatBits::kMagnitude;
    seen.nans += magnitude > FloatBits::kInfinity;
    seen.infinities += magnitude == FloatBits::kInfinity;
    seen.saturated += x < job.low || x > job.high;
  }
  if (kTable) atomic_add(exponent_table() + ((bits & FloatBits::kMagnitude) >> 23) * kWarp + lane_index(), 1);
}

template <bool kCounts, bool kTable>
RISTRETTO_DEVICE void see_run(const float* src, const RangeJob& job, Seen& seen) {
  const int64_t vectors = job.vectors ? job.spans.count / 4 : 0;
  const int64_t step = int64_t{kThreads} * blocks() * kInFlight;
  for (int64_t base = int64_t{block_index()} * kThreads * kInFlight; base < vectors; base += step) {
    Vector16 in[kInFlight];
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      const int64_t at = base + i * kThreads + thread_index();
      if (at < vectors) in[i] = *reinterpret_cast<const Vector16*>(src + 4 * at);
    }
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      if (base + i * kThreads + thread_index() >= vectors) continue;
#pragma unroll
      for (int e = 0; e < 4; ++e) see<kCounts, kTable>(in[i].word[e], job, seen);
    }
  }
  // The rest of a run of vectors, or the whole of one at an odd place.
  for (int64_t at = 4 * vectors + int64_t{block_index()} * kThreads + thread_index(); at < job.spans.count;
       at += int64_t{kThreads} * blocks())
    see<kCounts, kTable>(bits_of(src[at]), job, seen);
}

template <bool kCounts, bool kTable>
RISTRETTO_KERNEL(kThreads, 4)
range_blocks(RangeJob job) {
  const int block = block_index(1) * blocks() + block_index();
  if (kTable) {
    for (int i = thread_index(); i < kExponents * kWarp; i += kThreads) exponent_table()[i] = 0;
    block_barrier();
  }
  Seen seen{kInfinity, -kInfinity, 0, 0, 0, {}};
  for (int64_t image = block_index(1); image < job.spans.images; image += blocks(1))
    see_run<kCounts, kTable>(job.src + image * job.spans.src_stride, job, seen);

  unsigned char* slots = shared_memory<unsigned char>(kTable ? int(kTableBytes) : 0);
  seen.least = block_fold(seen.least, kInfinity, reinterpret_cast<float*>(slots), Least());
  seen.greatest = block_fold(seen.greatest, -kInfinity, reinterpret_cast<float*>(slots), Greatest());
  if (kCounts) {
    auto* counts = reinterpret_cast<uint32_t*>(slots);
    seen.nans = block_fold(seen.nans, 0u, counts, Sum());
    seen.infinities = block_fold(seen.infinities, 0u, counts, Sum());
    seen.saturated = block_fold(seen.saturated, 0u, counts, Sum());
  }
  if (thread_index() == 0) job.seen[block] = seen;
  // The folds' barriers lie between the counting and this. A thread reads an exponent's lanes from its own
  // on, so that neighbours are in different banks.
  if (kTable) {
    static_assert(kExponents == kThreads);
    const int e = thread_index();
    int32_t count = 0;
    for (int i = 0; i < kWarp; ++i) count += exponent_table()[e * kWarp + (e + i) % kWarp];
    job.exponents[block * kExponents + e] = uint32_t(count);
  }
}

RISTRETTO_DEVICE void put(int32_t* to, bool add, uint64_t count) {
  const uint64_t sum = (add ? uint64_t(*to) : 0) + count;
  *to = int32_t(sum < 0x7FFFFFFFu ? sum : 0x7FFFFFFFu);
}

// One block, a thread an exponent.
RISTRETTO_KERNEL(kExponents, 1)
range_results(const Seen* seen, const uint32_t* exponents, int count, RangeResults to) {
  static_assert(kExponents == kThreads, "the folds' slots");
  float least = kInfinity, greatest = -kInfinity;
  uint64_t nans = 0, infinities = 0, saturated = 0;
  for (int block = thread_index(); block < count; block += kExponents) {
    const Seen& part = seen[block];
    least = Least()(least, part.least);
    greatest = Greatest()(greatest, part.greatest);
    nans += part.nans, infinities += part.infinities, saturated += part.saturated;
  }
  auto* slots = shared_memory<uint64_t>();
  least = block_fold(least, kInfinity, reinterpret_cast<float*>(slots), Least());
  greatest = block_fold(greatest, -kInfinity, reinterpret_cast<float*>(slots), Greatest());
  nans = block_fold(nans, uint64_t{0}, slots, Sum());
  infinities = block_fold(infinities, uint64_t{0}, slots, Sum());
  saturated = block_fold(saturated, uint64_t{0}, slots, Sum());
  if (thread_index() == 0) {
    const float below = least < 0 ? -least : least, above = greatest < 0 ? -greatest : greatest;
    const float magnitude = least > greatest ? 0.0f : Greatest()(below, above);
    to.extremes[0] = to.accumulate ? Least()(to.extremes[0], least) : least;
    to.extremes[1] = to.accumulate ? Greatest()(to.extremes[1], greatest) : greatest;
    to.extremes[2] = to.accumulate ? Greatest()(to.extremes[2], magnitude) : magnitude;
    if (to.counts) {
      put(to.counts + 0, to.accumulate, nans);
      put(to.counts + 1, to.accumulate, infinities);
      put(to.counts + 2, to.accumulate, saturated);
    }
  }
  if (!to.exponents) return;
  uint64_t sum = 0;
#pragma unroll 8
  for (int block = 0; block < count; ++block) sum += exponents[block * kExponents + thread_index()];
  put(to.exponents + thread_index(), to.accumulate, sum);
}

template <bool kCounts, bool kTable>
void look(Context& context, const RangeJob& job, const Grid& grid) {
  launch(context, "range_blocks", grid, kThreads, (kTable ? kTableBytes : 0) + kSlotBytes,
         range_blocks<kCounts, kTable>, job);
}

}  // namespace

bool run(Context& context, const RangeArguments& a) {
  RangeJob job{};
  job.src = a.src.f32();
  job.spans = spans_of(a.src, a.src);
  job.vectors = aligned16(a.src, a.src, job.spans);
  job.low = -kInfinity, job.high = kInfinity;
  if (a.format && a.counts) {
    const UnsaturatedRange unsaturated = unsaturated_range(a.format);
    job.low = unsaturated.low, job.high = unsaturated.high;
  }
  // As many blocks as the device holds at once, along a run first.
  const int64_t most = int64_t{4} * context.device().multiprocessors;
  const int64_t per_block = job.vectors ? int64_t{kThreads} * kInFlight * 4 : kThreads;
  Grid grid;
  grid.x = int(std::min(most, (job.spans.count + per_block - 1) / per_block));
  grid.y = grid.x ? int(std::min(job.spans.images, std::max<int64_t>(1, most / grid.x))) : 0;
  const int64_t count = int64_t{grid.x} * grid.y;
  const size_t seen_bytes = size_t(count) * sizeof(Seen);
  auto* scratch = static_cast<unsigned char*>(
      context.scratch(seen_bytes + (a.exponents ? size_t(count) * kExponents * sizeof(uint32_t) : 0) + 1));
  job.seen = reinterpret_cast<Seen*>(scratch);
  job.exponents = a.exponents ? reinterpret_cast<uint32_t*>(scratch + seen_bytes) : nullptr;
  if (count > 0) {
    if (a.counts)
      a.exponents ? look<true, true>(context, job, grid) : look<true, false>(context, job, grid);
    else
      a.exponents ? look<false, true>(context, job, grid) : look<false, false>(context, job, grid);
  }
  const RangeResults results{a.extremes.f32(), static_cast<int32_t*>(a.counts.data),
                             static_cast<int32_t*>(a.exponents.data), a.accumulate};
  launch(context, "range_results", Grid{}, kExponents, kWarps * sizeof(uint64_t), range_results, job.seen,
         job.exponents, int(count), results);
  return true;
}

}  // namespace ristretto::cuda
