// Pooling: a thread for each window, neighbours side by side, so that overlapping windows meet in the cache.
// Means over many elements are a warp's: the windows are few then.
#include "core/op/pooling/pooling.h"

#include "cuda/fold.h"
#include "cuda/launch.h"
#include "cuda/ops.h"
#include "cuda/pool_window.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
// Elements of a window that are worth a warp.
constexpr int64_t kWarpWindow = 64;

struct PoolJob {
  const float* src;
  float *dst, *mask;  // mask: or null
  Planes src_planes, dst_planes, mask_planes;
  PoolShape shape;
  RandomStream random;
};

template <PoolingKind kKind, int kSize>
RISTRETTO_DEVICE float pooled(const PoolJob& job, const PoolWindow& window, const float* plane,
                              uint32_t index) {
  if constexpr (kKind == PoolingKind::max) {
    int place;
    const float best = maximum<kSize>(plane, job.shape, window, place);
    if (job.mask) job.mask[job.mask_planes.at(window.n, window.c) + window.place] = float(place);
    return best;
  } else if constexpr (kKind == PoolingKind::average) {
    float sum = 0;
    for_window<kSize>(job.shape, window, [&](int i) { sum += plane[i]; });
    return window.h.empty() || window.w.empty() ? 0.0f
                                                : sum / (float(window.h.padded) * float(window.w.padded));
  } else if constexpr (kKind == PoolingKind::weighted) {
    const WeightedSums sums = weighted_sums(plane, job.shape, window);
    return sums.sum > 0 ? sums.squares / sums.sum : 0.0f;
  } else {
    const int64_t at = sampled_place(plane, job.shape.width, window.h, window.w,
                                     random_word(job.random, job.random.first_element + index));
    return at < 0 ? 0.0f : plane[at];
  }
}

template <PoolingKind kKind, int kSize>
RISTRETTO_KERNEL(kThreads, 4)
pool_windows(PoolJob job) {
  for (int64_t i = int64_t{block_index()} * kThreads + thread_index(); i < job.shape.windows;
       i += int64_t{kThreads} * blocks()) {
    const PoolWindow window = pool_window(job.shape, uint32_t(i));
    const float* plane = job.src + job.src_planes.at(window.n, window.c);
    job.dst[job.dst_planes.at(window.n, window.c) + window.place] =
        pooled<kKind, kSize>(job, window, plane, uint32_t(i));
  }
}

RISTRETTO_KERNEL(kThreads, 4)
average_wide_windows(PoolJob job) {
  const int64_t step = int64_t{kWarps} * blocks();
  for (int64_t i = int64_t{block_index()} * kWarps + warp_index(); i < job.shape.windows; i += step) {
    const PoolWindow window = pool_window(job.shape, uint32_t(i));
    const float* plane = job.src + job.src_planes.at(window.n, window.c);
    const int width = int(window.w.end - window.w.begin);
    const bool whole_rows = width == job.shape.width;
    float sum = 0;
    if (whole_rows) {
      for (int64_t at = window.h.begin * width + lane_index(); at < window.h.end * width; at += kWarp)
        sum += plane[at];
    } else {
      for (int64_t y = window.h.begin; y < window.h.end; ++y)
        for (int64_t x = window.w.begin + lane_index(); x < window.w.end; x += kWarp)
          sum += plane[y * job.shape.width + x];
    }
    sum = warp_fold(sum, Sum());
    if (lane_index() == 0)
      job.dst[job.dst_planes.at(window.n, window.c) + window.place] =
          window.h.empty() || window.w.empty() ? 0.0f
                                               : sum / (float(window.h.padded) * float(window.w.padded));
  }
}

template <PoolingKind kKind>
void pool(Context& context, const PoolJob& job) {
  const PoolShape& s = job.shape;
  const int64_t most = int64_t{16} * context.device().multiprocessors;
  const auto grid = [&](int64_t per_block) {
    return Grid{int(std::min(most, (s.windows + per_block - 1) / per_block)), 1, 1};
  };
  if (kKind == PoolingKind::average &&
      std::min(s.kernel_h, s.height) * std::min(s.kernel_w, s.width) >= kWarpWindow) {
    launch(context, "average_wide_windows", grid(kWarps), kThreads, 0, average_wide_windows, job);
    return;
  }
  if constexpr (kKind == PoolingKind::max || kKind == PoolingKind::average) {
    if (s.kernel_h == 3 && s.kernel_w == 3) {
      launch(context, "pool_windows", grid(kThreads), kThreads, 0, pool_windows<kKind, 3>, job);
      return;
    }
    if (s.kernel_h == 2 && s.kernel_w == 2) {
      launch(context, "pool_windows", grid(kThreads), kThreads, 0, pool_windows<kKind, 2>, job);
      return;
    }
  }
  launch(context, "pool_windows", grid(kThreads), kThreads, 0, pool_windows<kKind, 0>, job);
}

}  // namespace

bool run(Context& context, const PoolingArguments& a) {
  if (!divisible(a.dst.count()) || !divisible(a.src.count(2))) return false;
  if (a.dst.count() == 0) return true;
  PoolJob job{};
  job.src = a.src.f32(), job.dst = a.dst.f32(), job.mask = a.mask.f32();
  job.src_planes = Planes::of(a.src), job.dst_planes = Planes::of(a.dst);
  if (a.mask) job.mask_planes = Planes::of(a.mask);
  job.shape = pool_shape(a, a.src, a.dst);
  job.random = a.random;
  switch (a.kind) {
    case PoolingKind::max:
      pool<PoolingKind::max>(context, job);
      return true;
    case PoolingKind::average:
      pool<PoolingKind::average>(context, job);
      return true;
    case PoolingKind::weighted:
      pool<PoolingKind::weighted>(context, job);
      return true;
    case PoolingKind::sampled:
      pool<PoolingKind::sampled>(context, job);
      return true;
  }
  return false;
}

}  // namespace ristretto::cuda
