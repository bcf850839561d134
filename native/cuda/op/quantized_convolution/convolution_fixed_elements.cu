// One output a thread, neighbouring threads at neighbouring channels: weights of 16 bits, groups of few
// channels, sums that 32 bits may not hold, deconvolutions.
#include <algorithm>
#include <numeric>

#include "convolution_fixed.h"
#include "cuda/code_vectors.h"
#include "cuda/launch.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 256;

// A kernel's taps along one axis. Of a source that is spread, every `step`-th falls on an element, from the
// first that does on; from one to the next they go `advance` elements on.
struct TapAxis {
  int64_t count, stride, pad, dilation, spread, step, advance;
  TapAxis() = default;
  TapAxis(int64_t count, int64_t stride, int64_t pad, int64_t dilation, int64_t spread)
      : count(count), stride(stride), pad(pad), dilation(dilation), spread(spread) {
    const int64_t common = std::gcd(dilation, spread);
    step = spread / common, advance = dilation / common;
  }
};

// The first of an output's taps that falls on an element, and which; `count` where none does.
struct FirstTap {
  int64_t tap, element;
};
RISTRETTO_DEVICE FirstTap first_tap(const TapAxis& axis, int64_t output) {
  int64_t at = output * axis.stride - axis.pad;
  if (axis.spread == 1) return {0, at};
  int64_t tap = 0;
  while (tap < axis.count && at % axis.spread != 0) ++tap, at += axis.dilation;
  return {tap, at / axis.spread};
}

struct ElementsJob {
  CodeTensor src, dst;
  const void* weights;
  const int32_t* bias;
  int64_t group_c, group_k;
  TapAxis rows, columns;
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
    const int64_t depth = job.group_c * job.rows.count * job.columns.count;
    const Weight* filter = static_cast<const Weight*>(job.weights) + k * depth;
    const FirstTap row = first_tap(job.rows, p), column = first_tap(job.columns, q);
    int64_t sum = 0;
    for (int64_t r = row.tap, h = row.element; r < job.rows.count;
         r += job.rows.step, h += job.rows.advance) {
      if (h < 0 || h >= job.src.height) continue;
      for (int64_t s = column.tap, w = column.element; s < job.columns.count;
           s += job.columns.step, w += job.columns.advance) {
        if (w < 0 || w >= job.src.width) continue;
        const Stored* src =
            reinterpret_cast<const Stored*>(job.src.pixel(n, h, w)) + k / group_k * job.group_c;
        const Weight* weights = filter + r * job.columns.count + s;
        for (int64_t c = 0; c < job.group_c; ++c)
          sum += int64_t{(int32_t(src[c]) - zero) * int32_t(weights[c * job.rows.count * job.columns.count])};
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
  job.rows = TapAxis(a.weights.dim[2], a.stride_h, a.pad_h, a.dilation_h, a.spread_h);
  job.columns = TapAxis(a.weights.dim[3], a.stride_w, a.pad_w, a.dilation_w, a.spread_w);
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
