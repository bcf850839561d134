// One output a thread, neighbouring threads at neighbouring channels: weights of 16 bits, groups of few
// channels, sums that 32 bits may not hold.
#include <algorithm>

#include "convolution_fixed.h"
#include "cuda/code_vectors.h"
#include "cuda/launch.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

struct ElementsJob {
  CodeTensor src, dst;
  const void* weights;
  const int32_t* bias;
  int64_t group_c, group_k, R, S;
  int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  FixedEpilogue epilogue;
  uint32_t count;  // of outputs
  int access, halo_parts;
};

template <class Stored, class Weight>
RISTRETTO_KERNEL(kThreads, 4)
fixed_elements(ElementsJob job) {
  const CodeTensor& dst = job.dst;
  if (block_index() < job.halo_parts) {
    fill_halo_part(dst, job.access, block_index(), job.halo_parts);
    return;
  }
  const uint32_t K = uint32_t(dst.channels), P = uint32_t(dst.height), Q = uint32_t(dst.width);
  const uint32_t group_k = uint32_t(job.group_k), step = uint32_t(kThreads * (blocks() - job.halo_parts));
  const int zero = job.src.zero();
  for (uint32_t i = uint32_t(kThreads * (block_index() - job.halo_parts) + thread_index()); i < job.count;
       i += step) {
    const uint32_t k = i % K, q = i / K % Q, p = i / K / Q % P, n = i / K / Q / P;
    const int64_t depth = job.group_c * job.R * job.S;
    const Weight* filter = static_cast<const Weight*>(job.weights) + k * depth;
    int64_t sum = 0;
    for (int64_t r = 0; r < job.R; ++r) {
      const int64_t h = p * job.stride_h - job.pad_h + r * job.dilation_h;
      if (h < 0 || h >= job.src.height) continue;
      for (int64_t s = 0; s < job.S; ++s) {
        const int64_t w = q * job.stride_w - job.pad_w + s * job.dilation_w;
        if (w < 0 || w >= job.src.width) continue;
        const Stored* src =
            reinterpret_cast<const Stored*>(job.src.pixel(n, h, w)) + k / group_k * job.group_c;
        const Weight* weights = filter + r * job.S + s;
        for (int64_t c = 0; c < job.group_c; ++c)
          sum += int64_t{(int32_t(src[c]) - zero) * int32_t(weights[c * job.R * job.S])};
      }
    }
    const int64_t bias = job.bias ? job.bias[k] : 0;
    dst.set_code(n, p, q, k, int(apply_epilogue(sum, bias, job.epilogue)));
  }
}

template <class Stored>
void launch_elements(Context& context, const Grid& grid, const ElementsJob& job, DataType weights) {
  if (weights == DataType::i16)
    launch(context, "fixed_elements", grid, kThreads, 0, fixed_elements<Stored, int16_t>, job);
  else
    launch(context, "fixed_elements", grid, kThreads, 0, fixed_elements<Stored, int8_t>, job);
}

}  // namespace

void convolution_fixed_elements(Context& context, const ConvolutionFixedArguments& a) {
  ElementsJob job{};
  job.src = a.src, job.dst = a.dst;
  job.weights = a.weights.data;
  job.bias = static_cast<const int32_t*>(a.bias.data);
  job.group_c = a.src.channels / a.group, job.group_k = a.dst.channels / a.group;
  job.R = a.weights.dim[2], job.S = a.weights.dim[3];
  job.stride_h = a.stride_h, job.stride_w = a.stride_w, job.pad_h = a.pad_h, job.pad_w = a.pad_w;
  job.dilation_h = a.dilation_h, job.dilation_w = a.dilation_w;
  job.epilogue = epilogue_of(a);
  job.access = access_bytes(a.dst);
  job.halo_parts = halo_blocks(a.dst, kThreads);
  const int64_t count = a.dst.images * a.dst.height * a.dst.width * a.dst.channels;
  job.count = uint32_t(count);
  const int64_t wanted = (count + kThreads - 1) / kThreads;
  const int64_t most = int64_t{32} * context.device().multiprocessors;
  const Grid grid{int(std::min(wanted, most)) + job.halo_parts, 1, 1};
  if (a.src.type == DataType::i16)
    launch_elements<int16_t>(context, grid, job, a.weights.type);
  else if (a.src.type == DataType::u8)
    launch_elements<uint8_t>(context, grid, job, a.weights.type);
  else
    launch_elements<int8_t>(context, grid, job, a.weights.type);
}

}  // namespace ristretto::cuda
