// Rows of a table by their numbers: a thread for each element, or for four neighbours, of what is gathered.
#include "core/op/rows/gather_rows.h"

#include <algorithm>

#include "core/op/rows/row_index.h"
#include "cuda/divisor.h"
#include "cuda/floats.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

struct GatherJob {
  const float *table, *index, *bias;  // bias: or null
  float* dst;
  int64_t count, rows;  // units gathered, rows of the table
  Divisor length;       // units of a row
  NanReport report;
};

template <class Unit>
RISTRETTO_KERNEL(kThreads, 4)
gather_units(GatherJob job) {
  const auto* table = reinterpret_cast<const Unit*>(job.table);
  const auto* bias = reinterpret_cast<const Unit*>(job.bias);
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.count;
       i += int64_t{kThreads} * blocks()) {
    const uint32_t m = job.length.quotient(uint32_t(i)), at = uint32_t(i) - m * job.length.value();
    const int64_t row = row_of_index(job.index[m], job.rows);
    if (row == kNoRow) {
      job.report.tell(Fault::row);
      continue;
    }
    const Unit value = table[row * job.length.value() + at];
    reinterpret_cast<Unit*>(job.dst)[i] = bias ? sum(value, bias[at]) : value;
  }
}

bool in_vectors(const GatherJob& job, int64_t length) {
  const uintptr_t places = reinterpret_cast<uintptr_t>(job.table) | reinterpret_cast<uintptr_t>(job.bias) |
                           reinterpret_cast<uintptr_t>(job.dst);
  return length % 4 == 0 && places % 16 == 0;
}

}  // namespace

bool run(Context& context, const GatherRowsArguments& g) {
  const int64_t length = g.table.image_count();
  GatherJob job{};
  job.count = g.index.count() * length;
  if (g.index.count() == 0) return true;
  if (length == 0 || !divisible(job.count)) return false;  // empty rows still have numbers to be looked at
  job.table = g.table.f32(), job.index = g.index.f32(), job.bias = g.bias.f32(), job.dst = g.dst.f32();
  job.rows = g.table.images();
  job.report = context.nan_report();
  const bool vectors = in_vectors(job, length);
  if (vectors) job.count /= 4;
  job.length = Divisor(vectors ? length / 4 : length);
  const int64_t wanted = (job.count + kThreads - 1) / kThreads;
  const Grid grid{int(std::min(wanted, int64_t{32} * context.device().multiprocessors)), 1, 1};
  launch(context, "gather_rows", grid, kThreads, 0, vectors ? gather_units<Floats> : gather_units<float>,
         job);
  return true;
}

}  // namespace ristretto::cuda
