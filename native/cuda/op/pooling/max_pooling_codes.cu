// The largest codes of windows, 16 bytes of channels a thread: bytes and halves of a word are compared at
// once.
#include <algorithm>

#include "core/op/pooling/code_window.h"
#include "cuda/code_vectors.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

struct MaxCodesJob {
  CodeTensor src, dst;
  CodeWindow window;
  uint32_t vectors;  // of a pixel
  int bytes;         // of its channels
  uint32_t count;    // of vectors
  uint32_t flip;     // makes stored codes signed
  uint32_t lowest;   // of the signed type, in each part of a word
  uint32_t empty;    // what is stored for windows without a pixel
  int src_access, dst_access, blocks, halo_parts;
};

template <bool kWords, bool kAligned>
RISTRETTO_KERNEL(kThreads, 4)
max_codes(MaxCodesJob job) {
  if (block_index() >= job.blocks) {
    fill_halo_part(job.dst, job.dst_access, block_index() - job.blocks, job.halo_parts);
    return;
  }
  const uint32_t P = uint32_t(job.dst.height), Q = uint32_t(job.dst.width);
  const uint32_t step = uint32_t(kThreads * job.blocks);
  const int64_t b = kWords ? 2 : 1, right = job.src.pixel_stride * b, down = job.src.row_stride * b;
  for (uint32_t at = uint32_t(block_index() * kThreads + thread_index()); at < job.count; at += step) {
    const int place = int(at % job.vectors) * 16;
    const uint32_t pixel = at / job.vectors, q = pixel % Q, p = pixel / Q % P, n = pixel / Q / P;
    const int count = std::min(16, job.bytes - place);
    const WindowSpan rows = window_rows(job.window, p, job.src.height);
    const WindowSpan columns = window_columns(job.window, q, job.src.width);
    Vector16 best{{job.lowest, job.lowest, job.lowest, job.lowest}};
    const char* row = job.src.pixel(n, rows.begin, columns.begin) + place;
    for (int64_t h = rows.begin; h < rows.end; ++h, row += down) {
      const char* from = row;
      for (int64_t w = columns.begin; w < columns.end; ++w, from += right) {
        const Vector16 v =
            kAligned ? *reinterpret_cast<const Vector16*>(from) : load_vector(from, job.src_access, count);
#pragma unroll
        for (int i = 0; i < 4; ++i)
          best.word[i] = kWords ? larger_halves(best.word[i], v.word[i])
                                : larger_bytes(best.word[i], v.word[i] ^ job.flip);
      }
    }
    const bool none = rows.empty() || columns.empty();
#pragma unroll
    for (int i = 0; i < 4; ++i) best.word[i] = none ? job.empty : best.word[i] ^ job.flip;
    store_vector(job.dst.pixel(n, p, q) + place, best, job.dst_access, count);
  }
}

}  // namespace

bool run(Context& context, const MaxPoolingCodesArguments& a) {
  if (a.dst.images == 0) return true;
  constexpr int64_t kMost = int64_t{1} << 30;
  MaxCodesJob job{};
  job.src = a.src, job.dst = a.dst, job.window = a.window;
  const bool words = a.src.type == DataType::i16;
  const int64_t bytes = a.src.channels * a.src.element_bytes(), vectors = (bytes + 15) / 16;
  const int64_t count = a.dst.images * a.dst.height * a.dst.width * vectors;
  if (bytes > kMost || count > kMost) return false;
  job.bytes = int(bytes), job.vectors = uint32_t(vectors), job.count = uint32_t(count);
  job.flip = zero_codes(a.src.type);
  job.lowest = words ? 0x80008000u : 0x80808080u;
  const uint32_t empty = uint32_t(a.dst.low + a.dst.zero());
  job.empty = words ? (empty & 0xFFFFu) * 0x00010001u : (empty & 0xFFu) * 0x01010101u;
  job.src_access = access_bytes(a.src), job.dst_access = access_bytes(a.dst);
  job.blocks = int(
      std::min<int64_t>((count + kThreads - 1) / kThreads, int64_t{16} * context.device().multiprocessors));
  job.halo_parts = halo_blocks(a.dst, kThreads);
  const bool aligned = job.src_access == 16 && job.bytes % 16 == 0;
  const Grid grid{job.blocks + job.halo_parts, 1, 1};
  const auto start = [&](auto kernel) { launch(context, "max_codes", grid, kThreads, 0, kernel, job); };
  if (words)
    aligned ? start(max_codes<true, true>) : start(max_codes<true, false>);
  else
    aligned ? start(max_codes<false, true>) : start(max_codes<false, false>);
  return true;
}

}  // namespace ristretto::cuda
