// Codes of one format to codes of another, 16 codes a thread.
#include <algorithm>

#include "core/op/codes/requantise.h"
#include "core/op/quantized_convolution/fixed_step.h"
#include "cuda/code_step.h"
#include "cuda/code_vectors.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256, kCodes = 16;

struct RequantiseJob {
  CodeTensor src, dst;
  uint32_t rows, pixels;   // of an image, of a row
  int64_t codes;           // of a pixel
  uint32_t groups, count;  // of kCodes, of a pixel and of all
  FixedStep step;
  Requantise to;  // where no step can say it
  bool relu;
  int src_access, dst_access, halo_access, blocks, halo_parts;
};

// `count` codes from `from` on, as they are stored less `zero`.
template <class Stored>
RISTRETTO_DEVICE void load_codes(const char* from, int access, int count, int zero, int (&codes)[kCodes]) {
  constexpr int kVectors = int(sizeof(Stored)), kPer = 16 / kVectors;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    const int bytes = (count - v * kPer) * kVectors;
    const Vector16 read = bytes > 0 ? load_vector(from + 16 * v, access, bytes) : Vector16{};
#pragma unroll
    for (int i = 0; i < kPer; ++i) {
      const uint32_t word = read.word[i * kVectors / 4] >> (8 * (i * kVectors % 4));
      codes[v * kPer + i] = int(Stored(word)) - zero;
    }
  }
}
template <class Stored>
RISTRETTO_DEVICE void store_codes(char* to, int access, int count, int zero, const int (&codes)[kCodes]) {
  constexpr int kVectors = int(sizeof(Stored)), kPer = 16 / kVectors;
  constexpr uint32_t kMask = kVectors == 2 ? 0xFFFFu : 0xFFu;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    Vector16 written = {};
#pragma unroll
    for (int i = 0; i < kPer; ++i)
      written.word[i * kVectors / 4] |= (uint32_t(codes[v * kPer + i] + zero) & kMask)
                                        << (8 * (i * kVectors % 4));
    const int bytes = (count - v * kPer) * kVectors;
    if (bytes > 0) store_vector(to + 16 * v, written, access, bytes);
  }
}

template <class From, class To>
RISTRETTO_KERNEL(kThreads, 4)
requantise_codes(RequantiseJob job) {
  if (block_index() >= job.blocks) {
    fill_halo_part(job.dst, job.halo_access, block_index() - job.blocks, job.halo_parts);
    return;
  }
  const uint32_t step = uint32_t(kThreads * job.blocks);
  for (uint32_t at = uint32_t(block_index() * kThreads + thread_index()); at < job.count; at += step) {
    const int64_t first = int64_t{at % job.groups} * kCodes;
    const uint32_t pixel = at / job.groups;
    const uint32_t w = pixel % job.pixels, h = pixel / job.pixels % job.rows,
                   n = pixel / job.pixels / job.rows;
    const int count = int(std::min<int64_t>(kCodes, job.codes - first));
    int codes[kCodes];
    load_codes<From>(job.src.pixel(n, h, w) + first * int64_t{sizeof(From)}, job.src_access, count,
                     job.src.zero(), codes);
#pragma unroll
    for (int i = 0; i < kCodes; ++i) {
      if (job.relu && codes[i] < 0) codes[i] = 0;
      codes[i] = apply_step(codes[i], job.step);
    }
    store_codes<To>(job.dst.pixel(n, h, w) + first * int64_t{sizeof(To)}, job.dst_access, count,
                    job.dst.zero(), codes);
  }
}

// Shifts beyond what 32 bits can do.
RISTRETTO_KERNEL(kThreads, 4)
requantise_by_definition(RequantiseJob job) {
  if (block_index() >= job.blocks) {
    fill_halo_part(job.dst, job.halo_access, block_index() - job.blocks, job.halo_parts);
    return;
  }
  const int64_t C = job.src.channels, W = job.src.width, H = job.src.height,
                count = job.src.images * H * W * C;
  for (int64_t at = int64_t{block_index()} * kThreads + thread_index(); at < count;
       at += int64_t{kThreads} * job.blocks) {
    const int64_t c = at % C, w = at / C % W, h = at / C / W % H, n = at / C / W / H;
    const int code = job.src.code(n, h, w, c);
    job.dst.set_code(n, h, w, c, int(requantise(job.relu && code < 0 ? 0 : code, job.to)));
  }
}

template <class From>
void launch_from(Context& context, const Grid& grid, const RequantiseJob& job) {
  const auto start = [&](auto kernel) {
    launch(context, "requantise_codes", grid, kThreads, 0, kernel, job);
  };
  if (job.dst.type == DataType::i16)
    start(requantise_codes<From, int16_t>);
  else if (job.dst.type == DataType::u8)
    start(requantise_codes<From, uint8_t>);
  else
    start(requantise_codes<From, int8_t>);
}

bool dense(const CodeTensor& t) {
  return t.pixel_stride == t.channels && t.row_stride == t.width * t.channels;
}

}  // namespace

bool run(Context& context, const RequantiseArguments& a) {
  if (a.src.images == 0) return true;
  RequantiseJob job{};
  job.src = a.src, job.dst = a.dst;
  // An image is one run of codes, if it can be.
  const bool runs = dense(a.src) && dense(a.dst);
  const int64_t pixels = runs ? 1 : a.src.height * a.src.width;
  job.codes = runs ? a.src.channels * a.src.height * a.src.width : a.src.channels;
  const int64_t groups = (job.codes + kCodes - 1) / kCodes, count = a.src.images * pixels * groups;
  constexpr int64_t kMost = int64_t{1} << 30;
  if (count > kMost) return false;
  job.rows = runs ? 1 : uint32_t(a.src.height), job.pixels = runs ? 1 : uint32_t(a.src.width);
  job.groups = uint32_t(groups), job.count = uint32_t(count);
  job.relu = a.relu;
  job.src_access = access_bytes(a.src);
  job.halo_access = job.dst_access = access_bytes(a.dst);
  if (runs) {
    // No pixel but an image's first is addressed.
    const auto whole = [](CodeTensor t) {
      t.pixel_stride = t.row_stride = t.image_stride;
      return access_bytes(t);
    };
    job.src_access = whole(a.src), job.dst_access = whole(a.dst);
  }
  job.halo_parts = halo_blocks(a.dst, kThreads);
  job.to = make_requantise(a.src_fractional_length, a.format, a.rounding);
  const std::optional<FixedStep> step = make_fixed_code_step(job.to);
  const int64_t work = step ? count : count * kCodes;
  job.blocks = int(
      std::min<int64_t>((work + kThreads - 1) / kThreads, int64_t{16} * context.device().multiprocessors));
  const Grid grid{job.blocks + job.halo_parts, 1, 1};
  if (!step) {
    launch(context, "requantise_by_definition", grid, kThreads, 0, requantise_by_definition, job);
    return true;
  }
  job.step = *step;
  if (a.src.type == DataType::i16)
    launch_from<int16_t>(context, grid, job);
  else if (a.src.type == DataType::u8)
    launch_from<uint8_t>(context, grid, job);
  else
    launch_from<int8_t>(context, grid, job);
  return true;
}

}  // namespace ristretto::cuda
