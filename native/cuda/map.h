// The loop of ops that compute every element of dst from the elements at its place in some tensors of its
// shape: 16 bytes at a time where all of them allow it. dst may be one of the sources.
#pragma once

#include <algorithm>
#include <array>

#include "core/format/float_bits.h"
#include "launch.h"
#include "spans.h"

namespace ristretto::cuda {

template <int kSources>
struct MapJob {
  const float* src[kSources];
  float* dst;
  int64_t src_stride[kSources], dst_stride;
  int64_t images, count;  // runs, and elements of each
};

constexpr int kMapThreads = 256;

// Two ways to say what an element becomes; `element` counts through the whole tensor:
//   float at(int64_t element, const float (&x)[kSources]) const
//   void four(int64_t element, const float (&x)[4][kSources], float (&y)[4]) const   of four neighbours
template <int kSources, class Function>
RISTRETTO_DEVICE void map_four(const Function& function, int64_t element, const float (&x)[4][kSources],
                               float (&y)[4]) {
  if constexpr (requires { function.four(element, x, y); }) {
    function.four(element, x, y);
  } else {
#pragma unroll
    for (int e = 0; e < 4; ++e) y[e] = function.at(element + e, x[e]);
  }
}

template <int kSources, class Function>
RISTRETTO_DEVICE void map_one(const MapJob<kSources>& job, const Function& function, int64_t image,
                              int64_t i) {
  float x[kSources];
#pragma unroll
  for (int s = 0; s < kSources; ++s) x[s] = job.src[s][image * job.src_stride[s] + i];
  job.dst[image * job.dst_stride + i] = function.at(image * job.count + i, x);
}

template <int kSources, class Function>
RISTRETTO_KERNEL(kMapThreads, 4)
map_vectors(MapJob<kSources> job, Function function) {
  constexpr int kInFlight = kSources == 1 ? 4 : 2;
  const int64_t vectors = job.count / 4, step = int64_t{kMapThreads} * blocks() * kInFlight;
  for (int64_t image = block_index(1); image < job.images; image += blocks(1)) {
    for (int64_t base = int64_t{block_index()} * kMapThreads * kInFlight; base < vectors; base += step) {
      Vector16 in[kInFlight][kSources];
#pragma unroll
      for (int v = 0; v < kInFlight; ++v) {
        const int64_t at = base + v * kMapThreads + thread_index();
        if (at >= vectors) continue;
#pragma unroll
        for (int s = 0; s < kSources; ++s)
          in[v][s] = *reinterpret_cast<const Vector16*>(job.src[s] + image * job.src_stride[s] + 4 * at);
      }
#pragma unroll
      for (int v = 0; v < kInFlight; ++v) {
        const int64_t at = base + v * kMapThreads + thread_index();
        if (at >= vectors) continue;
        float x[4][kSources], y[4];
#pragma unroll
        for (int s = 0; s < kSources; ++s)
#pragma unroll
          for (int e = 0; e < 4; ++e) x[e][s] = float_of(in[v][s].word[e]);
        map_four<kSources>(function, image * job.count + 4 * at, x, y);
        Vector16 out;
#pragma unroll
        for (int e = 0; e < 4; ++e) out.word[e] = bits_of(y[e]);
        *reinterpret_cast<Vector16*>(job.dst + image * job.dst_stride + 4 * at) = out;
      }
    }
    if (block_index() == 0 && thread_index() < job.count % 4)
      map_one<kSources>(job, function, image, 4 * vectors + thread_index());
  }
}

// Runs at any places.
template <int kSources, class Function>
RISTRETTO_KERNEL(kMapThreads, 4)
map_elements(MapJob<kSources> job, Function function) {
  for (int64_t image = block_index(1); image < job.images; image += blocks(1))
    for (int64_t i = int64_t{block_index()} * kMapThreads + thread_index(); i < job.count;
         i += int64_t{kMapThreads} * blocks())
      map_one<kSources>(job, function, image, i);
}

// dst = function of srcs, element by element; all of one shape, each may be a slice.
template <int kSources, class Function>
void map(Context& context, const char* name, const std::array<Tensor, kSources>& srcs, const Tensor& dst,
         const Function& function) {
  bool contiguous = dst.contiguous();
  uintptr_t places = reinterpret_cast<uintptr_t>(dst.data);
  for (const Tensor& src : srcs) {
    contiguous = contiguous && src.contiguous();
    places |= reinterpret_cast<uintptr_t>(src.data);
  }
  MapJob<kSources> job{};
  job.images = contiguous ? 1 : dst.images();
  job.count = contiguous ? dst.count() : dst.image_count();
  if (job.images == 0 || job.count == 0) return;
  job.dst = dst.f32();
  job.dst_stride = contiguous ? 0 : dst.image_stride;
  int64_t strides = job.dst_stride;
  for (int s = 0; s < kSources; ++s) {
    job.src[s] = srcs[size_t(s)].f32();
    job.src_stride[s] = contiguous ? 0 : srcs[size_t(s)].image_stride;
    strides |= job.src_stride[s];
  }
  // A run of fewer elements than a vector, behind which the next one starts at an odd element, has no four
  // neighbours that a function could rely on: elements count through the tensor in fours where runs do.
  const bool vectors = places % 16 == 0 && strides % 4 == 0 && (job.images == 1 || job.count % 4 == 0);
  const int64_t per_block = vectors ? int64_t{kMapThreads} * 4 * (kSources == 1 ? 4 : 2) : kMapThreads;
  const int64_t wanted = (job.count + per_block - 1) / per_block;
  Grid grid;
  grid.y = int(std::min<int64_t>(job.images, 65535));
  grid.x =
      int(std::max<int64_t>(1, std::min(wanted, int64_t{8} * context.device().multiprocessors / grid.y + 1)));
  if (vectors)
    launch(context, name, grid, kMapThreads, 0, map_vectors<kSources, Function>, job, function);
  else
    launch(context, name, grid, kMapThreads, 0, map_elements<kSources, Function>, job, function);
}

}  // namespace ristretto::cuda
