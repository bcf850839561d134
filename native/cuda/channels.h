// Channels of elements that count through a tensor, and sums over everything that shares a channel: in
// double, in an order that the shapes and the device decide.
#pragma once

#include <algorithm>

#include "core/op/channel_map.h"
#include "divisor.h"
#include "fold.h"
#include "launch.h"

namespace ristretto::cuda {

struct ChannelOf {
  Divisor inner, channels;
  explicit ChannelOf(const ChannelRows& rows)
      : inner(std::max<int64_t>(1, rows.inner)), channels(std::max<int64_t>(1, rows.channels)) {}
  RISTRETTO_DEVICE uint32_t of(int64_t element) const {
    return channels.remainder(inner.quotient(uint32_t(element)));
  }
};

constexpr int kSumThreads = 256;
constexpr size_t kSumSlotBytes = kSumThreads / kWarp * sizeof(double);

struct ChannelSumJob {
  const float *a, *b;
  int64_t a_stride, b_stride;
  Divisor inner, image;      // elements of a row, of an image
  int64_t channels, length;  // of them, and elements of each
  double* sums;              // parts of a channel side by side
};

// A block adds up a part of a channel: x counts channels, y parts.
template <class Term>
RISTRETTO_KERNEL(kSumThreads, 4)
sum_channel_parts(ChannelSumJob job, Term term) {
  const int64_t channel = block_index();
  const int64_t inner = job.inner.value(), image = job.image.value();
  double sum = 0;
  for (int64_t i = int64_t{block_index(1)} * kSumThreads + thread_index(); i < job.length;
       i += int64_t{kSumThreads} * blocks(1)) {
    const int64_t row = job.inner.quotient(uint32_t(i));
    const int64_t element = (row * job.channels + channel) * inner + (i - row * inner);
    const int64_t n = job.image.quotient(uint32_t(element)), at = element - n * image;
    sum += term(job.a[n * job.a_stride + at], job.b[n * job.b_stride + at]);
  }
  sum = block_fold(sum, 0.0, shared_memory<double>(), Sum());
  if (thread_index() == 0) job.sums[channel * blocks(1) + block_index(1)] = sum;
}

// to[channel] += its parts' sum.
RISTRETTO_KERNEL(kSumThreads, 1)
add_channel_sums(const double* sums, int parts, int64_t channels, float* to) {
  for (int64_t c = int64_t{block_index()} * kSumThreads + thread_index(); c < channels;
       c += int64_t{kSumThreads} * blocks()) {
    double sum = 0;
    for (int part = 0; part < parts; ++part) sum += sums[c * parts + part];
    to[c] = float(to[c] + sum);
  }
}

// to[0] += the sum of all.
RISTRETTO_KERNEL(kSumThreads, 1)
add_all_sums(const double* sums, int64_t count, float* to) {
  double sum = 0;
  for (int64_t i = thread_index(); i < count; i += kSumThreads) sum += sums[i];
  sum = block_fold(sum, 0.0, shared_memory<double>(), Sum());
  if (thread_index() == 0) to[0] = float(to[0] + sum);
}

// Whether the sums' indices fit.
inline bool can_sum_channels(const Tensor& a, const ChannelRows& rows) {
  return divisible(a.count()) && rows.channels < (int64_t{1} << 30);
}

// to += for each channel the sum of term(a, b); to one number where `shared`. a and b are not empty.
template <class Term>
void add_channel_terms(Context& context, const Tensor& a, const Tensor& b, const ChannelRows& rows,
                       const Term& term, float* to, bool shared = false) {
  ChannelSumJob job{};
  job.a = a.f32(), job.b = b.f32();
  const bool whole = a.contiguous() && b.contiguous();
  job.a_stride = whole ? 0 : a.image_stride, job.b_stride = whole ? 0 : b.image_stride;
  job.inner = Divisor(rows.inner), job.image = Divisor(whole ? a.count() : a.image_count());
  job.channels = rows.channels;
  job.length = a.count() / rows.channels;
  const int64_t most = std::max<int64_t>(1, int64_t{4} * context.device().multiprocessors / rows.channels);
  const int parts = int(std::clamp<int64_t>(job.length / (4 * kSumThreads), 1, most));
  job.sums = static_cast<double*>(context.scratch(size_t(rows.channels * parts) * sizeof(double)));
  launch(context, "sum_channel_parts", Grid{int(rows.channels), parts, 1}, kSumThreads, kSumSlotBytes,
         sum_channel_parts<Term>, job, term);
  if (shared)
    launch(context, "add_all_sums", Grid{}, kSumThreads, kSumSlotBytes, add_all_sums, job.sums,
           rows.channels * parts, to);
  else
    launch(context, "add_channel_sums", Grid{int((rows.channels + kSumThreads - 1) / kSumThreads), 1, 1},
           kSumThreads, 0, add_channel_sums, job.sums, parts, rows.channels, to);
}

}  // namespace ristretto::cuda
