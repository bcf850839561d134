// Products whose depths are cut into parts, each with sums of its own in scratch memory: how many parts, and
// their sum in a fixed order.
#pragma once

#include "product.h"

namespace ristretto::cuda {

struct Parts {
  int count = 1;
  int depths = 0;  // of a part
};

// Enough blocks to fill a large device, parts that are worth a block's start, scratch memory within bounds.
// Shapes alone decide: sums are the same on every device.
inline Parts cut_depths(int64_t rows, int64_t columns, int64_t groups, int64_t depths) {
  constexpr int64_t kBlocks = 512, kLeastDepths = 256, kMostSums = int64_t{1} << 25, kMostParts = 1024;
  const int64_t tiles = (rows + 127) / 128 * ((columns + kColumns - 1) / kColumns) * groups;
  const int64_t most = std::min(
      {depths / kLeastDepths, kMostSums / (rows * columns * groups), kMostParts, int64_t{65535} / groups});
  const int64_t wanted = std::max<int64_t>(1, std::min((kBlocks + tiles - 1) / tiles, most));
  const int64_t each = (depths + 8 * wanted - 1) / (8 * wanted) * 8;
  return {int(std::max<int64_t>(1, (depths + each - 1) / std::max<int64_t>(each, 1))), int(each)};
}

// `columns` to a row, and to a row's bias and words.
struct PartsJob {
  const float* sums;  // [parts][count]
  int parts;
  int64_t count;
  unsigned columns;
  Sink sink;
};

constexpr int kPartsThreads = 256;

RISTRETTO_KERNEL(kPartsThreads, 4)
add_parts(PartsJob job) {
  const int64_t step = int64_t{kPartsThreads} * blocks();
  for (int64_t i = int64_t{block_index()} * kPartsThreads + thread_index(); i < job.count; i += step) {
    float sum = job.sums[i];
#pragma unroll 4
    for (int part = 1; part < job.parts; ++part) sum += job.sums[part * job.count + i];
    const int64_t m = i / job.columns;
    const int n = int(i - m * job.columns);
    sum = finished(sum, job.sink, n);
    if (job.sink.trim.format.kind != FormatKind::none) sum = trim_value(sum, job.sink.trim, uint64_t(i));
    float* to = job.sink.data + m * job.sink.row + n;
    *to = rectified(job.sink.accumulate ? *to + sum : sum, job.sink);
  }
}

inline void launch_parts(Context& context, const PartsJob& job) {
  const int64_t wanted = (job.count + kPartsThreads - 1) / kPartsThreads;
  const Grid grid{int(std::min<int64_t>(wanted, int64_t{8} * context.device().multiprocessors)), 1, 1};
  launch(context, "add_parts", grid, kPartsThreads, 0, add_parts, job);
}

}  // namespace ristretto::cuda
