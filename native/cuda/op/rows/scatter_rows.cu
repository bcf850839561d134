// Sums of rows by the numbers of the rows that they are added to. Every row of the table belongs to one block
// a tile of columns, which looks through all numbers for those of its rows: so each element adds up in the
// order of the numbers, and no two threads add to one element.
#include "core/op/rows/scatter_rows.h"

#include <algorithm>

#include "core/op/rows/row_index.h"
#include "cuda/divisor.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kBiasThreads = 64;
constexpr size_t kSharedBytes = (kThreads + kThreads / kWarp) * sizeof(int32_t);

struct ScatterJob {
  const float *src, *index;
  float* table;
  int64_t count, rows, length;  // rows added, rows of the table, elements of each
  Divisor blocks;               // that share the table: row k is block k % blocks'
  bool overwrite;
  NanReport report;
};

// An element of the table that is being added to, in a register for as long as the rows stay the same.
class OpenElement {
 public:
  RISTRETTO_DEVICE OpenElement(float* column, int64_t length) : column_(column), length_(length) {}
  RISTRETTO_DEVICE void add(int32_t row, float value) {
    if (row != row_) {
      close();
      row_ = row;
      sum_ = column_[row * length_];
    }
    sum_ += value;
  }
  RISTRETTO_DEVICE void close() const {
    if (row_ >= 0) column_[row_ * length_] = sum_;
  }

 private:
  float* column_;
  int64_t length_;
  int32_t row_ = -1;
  float sum_ = 0;
};

// Of kThreads numbers from `base` on: the rows of this block, -1 for others, and whether a warp has any.
RISTRETTO_DEVICE void find_own(const ScatterJob& job, int64_t base, int32_t* own, int32_t* any) {
  const int64_t m = base + thread_index();
  int32_t row = -1;
  if (m < job.count) {
    row = int32_t(row_of_index(job.index[m], job.rows));
    if (row == kNoRow)
      job.report.tell(Fault::row);
    else if (int(job.blocks.remainder(uint32_t(row))) != block_index())
      row = -1;
  }
  const bool here = warp_any(row >= 0);
  block_barrier();  // the last ones may still be read
  own[thread_index()] = row;
  if (lane_index() == 0) any[warp_index()] = here;
  block_barrier();
}

RISTRETTO_KERNEL(kThreads, 4)
scatter_to_rows(ScatterJob job) {
  auto* own = shared_memory<int32_t>();
  int32_t* any = own + kThreads;
  const int64_t step = int64_t{kThreads} * blocks(1);
  for (int64_t first = int64_t{block_index(1)} * kThreads; first < job.length; first += step) {
    const int64_t i = first + thread_index();
    const bool inside = i < job.length;
    if (inside && job.overwrite)
      for (int64_t row = block_index(); row < job.rows; row += blocks()) job.table[row * job.length + i] = 0;
    OpenElement element(job.table + i, job.length);
    for (int64_t base = 0; base < job.count; base += kThreads) {
      find_own(job, base, own, any);
      for (int at = 0; inside && at < kThreads; ++at) {
        if (at % kWarp == 0 && !any[at / kWarp])
          at += kWarp - 1;
        else if (own[at] >= 0)
          element.add(own[at], job.src[(base + at) * job.length + i]);
      }
    }
    if (inside) element.close();
  }
}

// bias += all rows. A thread a column; the loads of eight rows are under way at once.
RISTRETTO_KERNEL(kBiasThreads, 8)
add_rows(const float* src, int64_t count, int64_t length, float* bias) {
  for (int64_t i = int64_t{block_index()} * kBiasThreads + thread_index(); i < length;
       i += int64_t{kBiasThreads} * blocks()) {
    float sum = bias[i];
#pragma unroll 8
    for (int64_t m = 0; m < count; ++m) sum += src[m * length + i];
    bias[i] = sum;
  }
}

void scatter(Context& context, const ScatterRowsArguments& s, int64_t length, int64_t most) {
  ScatterJob job{};
  job.src = s.src.f32(), job.index = s.index.f32(), job.table = s.table.f32();
  job.count = s.index.count(), job.rows = s.table.images(), job.length = length;
  job.overwrite = s.overwrite;
  job.report = context.nan_report();
  Grid grid;
  grid.y = int(std::min((length + kThreads - 1) / kThreads, std::min<int64_t>(most, 65535)));
  grid.x = int(std::max<int64_t>(1, std::min(job.rows, most / grid.y)));
  job.blocks = Divisor(grid.x);
  launch(context, "scatter_rows", grid, kThreads, kSharedBytes, scatter_to_rows, job);
}

}  // namespace

bool run(Context& context, const ScatterRowsArguments& s) {
  const int64_t length = s.table ? s.table.image_count() : s.bias.count(), count = s.index.count();
  if (s.table && !divisible(s.table.images())) return false;
  if (length == 0) return count == 0;  // empty rows still have numbers to be looked at
  const int64_t most = int64_t{16} * context.device().multiprocessors;
  if (s.table && (count > 0 || s.overwrite)) scatter(context, s, length, most);
  if (!s.bias || count == 0) return true;
  const Grid grid{int(std::min((length + kBiasThreads - 1) / kBiasThreads, most)), 1, 1};
  launch(context, "add_rows", grid, kBiasThreads, 0, add_rows, s.src.f32(), count, length, s.bias.f32());
  return true;
}

}  // namespace ristretto::cuda
