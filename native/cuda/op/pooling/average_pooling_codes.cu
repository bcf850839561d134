// Means of windows of codes: four channels a lane; the warps of a block share a large window's pixels, or
// take a window each. Sums are exact, so their order does not matter.
#include <algorithm>

#include "core/op/pooling/code_window.h"
#include "cuda/code_vectors.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
constexpr int kCodes = 4, kChannels = kCodes * kWarp;  // of a lane, of a warp

struct MeanCodesJob {
  CodeTensor src;
  float* dst;
  int64_t dst_image_stride;
  uint32_t P, Q;
  CodeWindow window;
  uint32_t parts;  // of kChannels
  uint32_t count;  // parts of all windows
  int sharers;     // warps that share a window: 1 or all
  int access;
  float step;
};

template <class Stored>
RISTRETTO_DEVICE void add_codes(const char* from, int access, int count, int zero, int64_t (&sums)[kCodes]) {
  constexpr int kBytes = int(sizeof(Stored)), kWords = kBytes * kCodes / 4;
  if (access >= 4 && count >= kCodes) {
#pragma unroll
    for (int i = 0; i < kWords; ++i) {
      const uint32_t word = reinterpret_cast<const uint32_t*>(from)[i];
#pragma unroll
      for (int e = 0; e < 4 / kBytes; ++e)
        sums[i * (4 / kBytes) + e] += int(Stored(word >> (8 * kBytes * e))) - zero;
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < kCodes; ++i)
    if (i < count) sums[i] += int(reinterpret_cast<const Stored*>(from)[i]) - zero;
}

template <class Stored>
RISTRETTO_KERNEL(kThreads, 4)
mean_codes(MeanCodesJob job) {
  int64_t* shared = shared_memory<int64_t>();
  const int lane = lane_index(), warp = warp_index();
  const uint32_t index = uint32_t(job.sharers == 1 ? block_index() * kWarps + warp : block_index());
  const bool some = index < job.count;
  const uint32_t at = some ? index : 0;
  const int64_t channel = at % job.parts * kChannels + lane * kCodes, q = at / job.parts % job.Q,
                p = at / job.parts / job.Q % job.P, n = at / job.parts / job.Q / job.P;
  const int count = some ? int(std::min<int64_t>(kCodes, job.src.channels - channel)) : 0;
  const WindowSpan rows = window_rows(job.window, p, job.src.height);
  const WindowSpan columns = window_columns(job.window, q, job.src.width);
  const bool none = rows.empty() || columns.empty();
  int64_t sums[kCodes] = {};
  if (count > 0 && !none) {
    const int across = int(columns.end - columns.begin);
    const int pixels = int(rows.end - rows.begin) * across;
    const int zero = job.src.zero();
#pragma unroll 4
    for (int i = job.sharers == 1 ? 0 : warp; i < pixels; i += job.sharers) {
      const char* from = job.src.pixel(n, rows.begin + i / across, columns.begin + i % across) +
                         channel * int64_t{sizeof(Stored)};
      add_codes<Stored>(from, job.access, count, zero, sums);
    }
  }
  if (job.sharers > 1) {
    if (warp > 0)
      for (int i = 0; i < kCodes; ++i) shared[((warp - 1) * kCodes + i) * kWarp + lane] = sums[i];
    block_barrier();
    if (warp > 0) return;
    for (int w = 0; w < kWarps - 1; ++w)
#pragma unroll
      for (int i = 0; i < kCodes; ++i) sums[i] += shared[(w * kCodes + i) * kWarp + lane];
  }
  const float area = float(rows.padded) * float(columns.padded);
  float* dst = job.dst + n * job.dst_image_stride + (channel * job.P + p) * job.Q + q;
#pragma unroll
  for (int i = 0; i < kCodes; ++i)
    if (i < count) dst[i * int64_t{job.P} * job.Q] = none ? 0.0f : float(sums[i]) * job.step / area;
}

}  // namespace

bool run(Context& context, const AveragePoolingCodesArguments& a) {
  MeanCodesJob job{};
  job.src = a.src;
  job.dst = a.dst.f32();
  job.dst_image_stride = a.dst.image_stride;
  constexpr int64_t kMost = int64_t{1} << 30;
  const int64_t P = a.dst.legacy_dim(2), Q = a.dst.legacy_dim(3);
  const int64_t parts = (a.src.channels + kChannels - 1) / kChannels, count = a.src.images * P * Q * parts;
  const int64_t pixels = std::min(a.window.kernel_h, a.src.height) * std::min(a.window.kernel_w, a.src.width);
  if (count > kMost || pixels > kMost) return false;
  if (count == 0) return true;
  job.P = uint32_t(P), job.Q = uint32_t(Q), job.parts = uint32_t(parts), job.count = uint32_t(count);
  job.window = a.window;
  job.sharers = pixels > 2 * kWarps ? kWarps : 1;
  job.access = access_bytes(a.src);
  job.step = power_of_two_float(-a.fractional_length);
  const int64_t blocks = job.sharers == 1 ? (count + kWarps - 1) / kWarps : count;
  const size_t bytes = job.sharers == 1 ? 0 : (kWarps - 1) * kChannels * sizeof(int64_t);
  const auto start = [&](auto kernel) {
    launch(context, "mean_codes", Grid{int(blocks), 1, 1}, kThreads, bytes, kernel, job);
  };
  if (a.src.type == DataType::i16)
    start(mean_codes<int16_t>);
  else if (a.src.type == DataType::u8)
    start(mean_codes<uint8_t>);
  else
    start(mean_codes<int8_t>);
  return true;
}

}  // namespace ristretto::cuda
