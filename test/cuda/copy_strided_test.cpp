// Copies of blocks with strides: on the device as on the processor.
#include "core/op/copy/copy_strided.h"

#include "twin.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

struct Problem {
  int64_t src_count, dst_count, src_offset, dst_offset;
  std::vector<int64_t> counts, src_strides, dst_strides;
};
const Problem kProblems[] = {
    {600, 900, 0, 4, {2, 300}, {300, 1}, {400, 1}},                           // Concat, in vectors
    {600, 900, 0, 3, {2, 300}, {300, 1}, {400, 1}},                           // at odd places
    {5000, 5000, 8, 0, {3, 5, 7, 11}, {1200, 140, 13, 1}, {385, 77, 11, 1}},  // Crop
    {40, 240, 0, 0, {4, 6, 10}, {10, 0, 1}, {60, 10, 1}},                     // Tile
    {60, 60, 0, 0, {10, 6}, {1, 10}, {6, 1}},                                 // a transposed matrix
    {10, 10, 7, 2, {1}, {1}, {1}},
    {10, 10, 0, 0, {0, 3}, {3, 1}, {3, 1}},
};

CopyStridedArguments arguments_of(const Problem& p, const Tensor& src, const Tensor& dst, bool accumulate) {
  CopyStridedArguments c;
  c.src = src;
  c.dst = dst;
  c.src_offset = p.src_offset, c.dst_offset = p.dst_offset;
  c.counts = p.counts, c.src_strides = p.src_strides, c.dst_strides = p.dst_strides;
  c.accumulate = accumulate;
  return c;
}

}  // namespace

TEST(copies_equal_the_processors) {
  for (const Problem& p : kProblems)
    for (bool accumulate : {false, true}) {
      Twin src({p.src_count}, 1), dst({p.dst_count}, 2);
      run_both<CopyStrided>(
          [&](bool device) { return arguments_of(p, src.tensor(device), dst.tensor(device), accumulate); });
      dst.check_equal("axes ", p.counts.size(), " accumulate ", accumulate);
    }
}

// Elements that meet in one place have an order: the processor's.
TEST(places_that_meet_are_for_the_processor) {
  Twin src({100}, 1), dst({100}, 2);
  const Problem p{100, 100, 0, 0, {5, 6}, {6, 1}, {2, 1}};
  CHECK(!cuda::run(test_context(), arguments_of(p, src.tensor(true), dst.tensor(true), true)));
}
