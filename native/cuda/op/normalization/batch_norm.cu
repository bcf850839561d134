// Batch normalisation: a block for the statistics of a channel, then a pass over the elements; its gradient
// has both in one block.
#include "core/op/normalization/batch_norm.h"

#include <cmath>

#include "core/op/normalization/batch_norm_gradient.h"
#include "cuda/block_moments.h"
#include "cuda/channels.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 512;
constexpr size_t kSlotBytes = kThreads / kWarp * sizeof(double);

ChannelRows rows_of(const Tensor& t) { return t.rank == 1 ? ChannelRows(t, 0, 0) : ChannelRows(t, 1, 1); }
int64_t length_of(const Tensor& t, const ChannelRows& rows) { return t.rank == 1 ? 1 : rows.inner; }

// The elements of one channel, counted through all images.
struct ChannelElements {
  Divisor length;  // of them in one image
  int64_t offset;
  RISTRETTO_DEVICE int64_t at(int64_t i, int64_t image_stride) const {
    const int64_t n = length.quotient(uint32_t(i));
    return n * image_stride + offset + (i - n * length.value());
  }
};

struct StatisticsJob {
  const float* src;
  int64_t stride, channels, count;  // count: elements of a channel
  Divisor length;
  float *mean, *variance;
  const float* weight;
  float *used_mean, *used_deviation;
  float eps, fraction, correction;
};

RISTRETTO_KERNEL(kThreads, 2)
batch_statistics(StatisticsJob job) {
  const int64_t c = block_index();
  const ChannelElements elements{job.length, c * job.length.value()};
  const Moments batch = block_moments(job.count, shared_memory<double>(),
                                      [&](int64_t i) { return job.src[elements.at(i, job.stride)]; });
  if (thread_index() != 0) return;
  const float mean = float(batch.mean), variance = float(batch.variance);
  job.used_mean[c] = mean;
  job.used_deviation[c] = sqrtf(variance + job.eps);
  job.mean[c] = job.fraction * job.mean[c] + mean;
  job.variance[c] = job.fraction * job.variance[c] + job.correction * variance;
}

RISTRETTO_KERNEL(kThreads, 2)
stored_statistics(StatisticsJob job) {
  const float scale = *job.weight == 0 ? 0 : 1 / *job.weight;
  for (int64_t c = int64_t{block_index()} * kThreads + thread_index(); c < job.channels;
       c += int64_t{kThreads} * blocks()) {
    job.used_mean[c] = job.mean[c] * scale;
    job.used_deviation[c] = sqrtf(job.variance[c] * scale + job.eps);
  }
}

RISTRETTO_KERNEL(kWarp, 1)
count_batch(float* weight, float fraction) {
  if (thread_index() == 0) *weight = fraction * *weight + 1;
}

struct Normalise {
  ChannelOf channel;
  const float *mean, *deviation;
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[1]) const {
    const uint32_t c = channel.of(element);
    return (x[0] - mean[c]) / deviation[c];
  }
};
struct Divide {
  ChannelOf channel;
  const float* deviation;
  RISTRETTO_DEVICE float at(int64_t element, const float (&x)[1]) const {
    return x[0] / deviation[channel.of(element)];
  }
};

struct GradientJob {
  const float *src, *dst_diff, *mean, *deviation;
  float* src_diff;
  int64_t src_stride, diff_stride, result_stride, count;
  Divisor length;
};

RISTRETTO_KERNEL(kThreads, 2)
batch_gradient(GradientJob job) {
  const int64_t c = block_index();
  const float m = job.mean[c], d = job.deviation[c];
  const ChannelElements elements{job.length, c * job.length.value()};
  const auto src = [&](int64_t i) { return job.src[elements.at(i, job.src_stride)]; };
  const auto diff = [&](int64_t i) { return job.dst_diff[elements.at(i, job.diff_stride)]; };
  auto* slots = shared_memory<double>();
  const double sum = block_sum(job.count, slots, [&](int64_t i) { return double(diff(i)); });
  const double product =
      block_sum(job.count, slots, [&](int64_t i) { return double(diff(i)) * double(src(i) - m); });
  const double count = double(job.count);
  const float mean_diff = float(sum / count), slope = float(product / count / d / d);
  for (int64_t i = thread_index(); i < job.count; i += kThreads)
    job.src_diff[elements.at(i, job.result_stride)] = (diff(i) - mean_diff - (src(i) - m) * slope) / d;
}

}  // namespace

bool run(Context& context, const BatchNormArguments& b) {
  if (!divisible(b.src.count())) return false;
  if (b.src.count() == 0) return true;
  const ChannelRows rows = rows_of(b.src);
  StatisticsJob job{};
  job.src = b.src.f32(), job.stride = b.src.image_stride, job.channels = rows.channels;
  job.length = Divisor(length_of(b.src, rows));
  job.count = b.src.images() * length_of(b.src, rows);
  job.mean = b.mean.f32(), job.variance = b.variance.f32(), job.weight = b.weight.f32();
  job.used_mean =
      b.used ? b.used.f32() : static_cast<float*>(context.scratch(size_t(2 * rows.channels) * sizeof(float)));
  job.used_deviation = job.used_mean + rows.channels;
  job.eps = b.eps, job.fraction = b.moving_average_fraction;
  job.correction = job.count > 1 ? float(double(job.count) / double(job.count - 1)) : 1.0f;
  if (b.update) {
    launch(context, "batch_statistics", Grid{int(rows.channels), 1, 1}, kThreads, kSlotBytes,
           batch_statistics, job);
    launch(context, "count_batch", Grid{}, kWarp, 0, count_batch, b.weight.f32(), job.fraction);
  } else {
    launch(context, "stored_statistics", Grid{int((rows.channels + kThreads - 1) / kThreads), 1, 1}, kThreads,
           0, stored_statistics, job);
  }
  map<1>(context, "batch_norm", {b.src}, b.dst,
         Normalise{ChannelOf(rows), job.used_mean, job.used_deviation});
  return true;
}

bool run(Context& context, const BatchNormGradientArguments& b) {
  if (!divisible(b.src_diff.count())) return false;
  if (b.src_diff.count() == 0) return true;
  const ChannelRows rows = rows_of(b.src_diff);
  const float *mean = b.used.f32(), *deviation = mean + rows.channels;
  if (!b.batch) {
    map<1>(context, "batch_norm_gradient", {b.dst_diff}, b.src_diff, Divide{ChannelOf(rows), deviation});
    return true;
  }
  GradientJob job{};
  job.src = b.src.f32(), job.dst_diff = b.dst_diff.f32(), job.src_diff = b.src_diff.f32();
  job.mean = mean, job.deviation = deviation;
  job.src_stride = b.src.image_stride, job.diff_stride = b.dst_diff.image_stride;
  job.result_stride = b.src_diff.image_stride;
  job.length = Divisor(length_of(b.src_diff, rows));
  job.count = b.src_diff.images() * length_of(b.src_diff, rows);
  launch(context, "batch_gradient", Grid{int(rows.channels), 1, 1}, kThreads, kSlotBytes, batch_gradient,
         job);
  return true;
}

}  // namespace ristretto::cuda
