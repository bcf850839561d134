// Copies of blocks with strides. Axes that one stride walks through together become one; what is left is
// walked by a thread for each element, or for four of them where the last axis is dense on both sides.
#include "core/op/copy/copy_strided.h"

#include <algorithm>
#include <vector>

#include "cuda/divisor.h"
#include "cuda/floats.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

struct Axis {
  int64_t count, src_stride, dst_stride;
};

struct CopyJob {
  const float* src;
  float* dst;
  int64_t count;  // of the units that are copied: elements, or vectors
  int axes;
  bool accumulate;
  Divisor counts[Tensor::kMaxRank];
  int64_t src_strides[Tensor::kMaxRank], dst_strides[Tensor::kMaxRank];
};

template <class Unit>
RISTRETTO_KERNEL(kThreads, 4)
copy_block(CopyJob job) {
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.count;
       i += int64_t{kThreads} * blocks()) {
    uint32_t rest = uint32_t(i);
    int64_t from = 0, to = 0;
    for (int axis = job.axes - 1; axis >= 0; --axis) {
      const uint32_t quotient = job.counts[axis].quotient(rest);
      const int64_t index = rest - quotient * job.counts[axis].value();
      from += index * job.src_strides[axis];
      to += index * job.dst_strides[axis];
      rest = quotient;
    }
    const Unit value = *reinterpret_cast<const Unit*>(job.src + from);
    Unit* dst = reinterpret_cast<Unit*>(job.dst + to);
    *dst = job.accumulate ? sum(*dst, value) : value;
  }
}

// Axes of more than one element, joined where an index of the first goes on where the second ends.
std::vector<Axis> join_axes(const CopyStridedArguments& c) {
  std::vector<Axis> axes;
  for (size_t i = 0; i < c.counts.size(); ++i) {
    if (c.counts[i] == 1) continue;
    const Axis axis{c.counts[i], c.src_strides[i], c.dst_strides[i]};
    if (!axes.empty() && axes.back().src_stride == axis.count * axis.src_stride &&
        axes.back().dst_stride == axis.count * axis.dst_stride)
      axes.back() = {axes.back().count * axis.count, axis.src_stride, axis.dst_stride};
    else
      axes.push_back(axis);
  }
  if (axes.empty()) axes.push_back({1, 1, 1});
  return axes;
}

// Whether every element of the block has a place of its own in dst.
bool places_differ(std::vector<Axis> axes) {
  std::sort(axes.begin(), axes.end(),
            [](const Axis& a, const Axis& b) { return a.dst_stride < b.dst_stride; });
  int64_t reach = 0;
  for (const Axis& axis : axes) {
    if (axis.dst_stride <= reach) return false;
    reach += (axis.count - 1) * axis.dst_stride;
  }
  return true;
}

bool in_vectors(const CopyJob& job, const std::vector<Axis>& axes) {
  const Axis& last = axes.back();
  if (last.src_stride != 1 || last.dst_stride != 1 || last.count % 4 != 0) return false;
  if ((reinterpret_cast<uintptr_t>(job.src) | reinterpret_cast<uintptr_t>(job.dst)) % 16 != 0) return false;
  return std::all_of(axes.begin(), axes.end() - 1,
                     [](const Axis& a) { return a.src_stride % 4 == 0 && a.dst_stride % 4 == 0; });
}

}  // namespace

bool run(Context& context, const CopyStridedArguments& c) {
  if (std::find(c.counts.begin(), c.counts.end(), 0) != c.counts.end()) return true;
  std::vector<Axis> axes = join_axes(c);
  if (!places_differ(axes)) return false;
  CopyJob job{};
  job.src = c.src.f32() + c.src_offset;
  job.dst = c.dst.f32() + c.dst_offset;
  job.accumulate = c.accumulate;
  const bool vectors = in_vectors(job, axes);
  if (vectors) axes.back() = {axes.back().count / 4, 4, 4};
  job.count = 1;
  for (const Axis& axis : axes) {
    job.count *= axis.count;
    if (!divisible(axis.count) || !divisible(job.count)) return false;
    job.counts[job.axes] = Divisor(axis.count);
    job.src_strides[job.axes] = axis.src_stride;
    job.dst_strides[job.axes] = axis.dst_stride;
    ++job.axes;
  }
  const int64_t wanted = (job.count + kThreads - 1) / kThreads;
  const Grid grid{int(std::min(wanted, int64_t{32} * context.device().multiprocessors)), 1, 1};
  if (vectors)
    launch(context, "copy_block", grid, kThreads, 0, copy_block<Floats>, job);
  else
    launch(context, "copy_block", grid, kThreads, 0, copy_block<float>, job);
  return true;
}

}  // namespace ristretto::cuda
