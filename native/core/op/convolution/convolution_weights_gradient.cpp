// The gradients of a convolution's weights and biases: a matrix product whose depth is the output pixels of
// all images. Both operands are turned from channel planes into pixels first; the windows of a pixel are then
// runs of floats that panels are gathered from, so no matrix of windows exists. The images are cut into a
// fixed number of parts, each with sums of its own, which are added in order: the same whatever thread made
// which.
#include <algorithm>

#include "convolution_gradient.h"
#include "float_panels.h"
#include "sum_channels.h"

namespace ristretto {

namespace {

constexpr int64_t kMostParts = 8;
constexpr int64_t kMostPartialSums = int64_t{1} << 24;  // floats of all parts together
constexpr int64_t kMostSlab = 4096;                     // pixels
constexpr int64_t kMostStaged = int64_t{1} << 26;       // floats

int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// A 1x1 convolution without stride or padding reads every image as one long row.
ConvolutionGradientArguments normalised(ConvolutionGradientArguments a) {
  if (a.weights.dim[2] != 1 || a.weights.dim[3] != 1 || a.stride_h != 1 || a.stride_w != 1 || a.pad_h ||
      a.pad_w)
    return a;
  for (Tensor* tensor : {&a.src, &a.dst_diff}) {
    tensor->dim[3] *= tensor->dim[2];
    tensor->dim[2] = 1;
  }
  return a;
}

// A range of output pixels and the rows and columns of the input that their windows cover, padding included.
struct Slab {
  int64_t first, count;   // pixels, in row-major order
  int64_t top, left;      // of the output
  int64_t rows, columns;  // of the input
};

Slab slab_at(const ConvolutionGradientArguments& a, int64_t first, int64_t count) {
  const int64_t Q = a.dst_diff.dim[3], top = first / Q, bottom = (first + count - 1) / Q;
  const int64_t left = top == bottom ? first % Q : 0, width = top == bottom ? count : Q;
  return {first,
          count,
          top,
          left,
          (bottom - top) * a.stride_h + (a.weights.dim[2] - 1) * a.dilation_h + 1,
          (width - 1) * a.stride_w + (a.weights.dim[3] - 1) * a.dilation_w + 1};
}

class WeightsGradient {
 public:
  WeightsGradient(Context& context, const ConvolutionGradientArguments& whole, const FloatKernels& kernels)
      : context_(context),
        a_(normalised(whole)),
        kernels_(kernels),
        group_c_(a_.src.dim[1] / a_.group),
        group_k_(a_.dst_diff.dim[1] / a_.group),
        taps_(a_.weights.dim[2] * a_.weights.dim[3]),
        columns_(group_c_ * taps_),
        stride_(round_up(columns_, kernels.lanes)),
        pixels_(a_.dst_diff.dim[2] * a_.dst_diff.dim[3]) {
    // A column panel and the row panel in use stay in the first-level cache.
    const int64_t per_pixel = 4 * (FloatKernels::kMaxVectors * kernels.lanes + kernels.rows);
    most_depth_ = kernels.l1_bytes * 4 / 5 / per_pixel;
    const int64_t halo = slab_at(a_, 0, 1).rows * slab_at(a_, 0, std::min(pixels_, kMostSlab)).columns;
    const int64_t room = kernels.l2_bytes / 16 / group_c_ - halo;
    slabs_ = cut(pixels_, std::clamp(room / (a_.stride_h * a_.stride_w), most_depth_, kMostSlab));
    const int64_t units = a_.src.images() * slabs_.count;
    const int64_t parts =
        std::clamp<int64_t>(kMostPartialSums / (a_.group * group_k_ * stride_), 1, kMostParts);
    parts_ = cut(units, (units + parts - 1) / parts);
    // More outputs than the sums have room for are made one chunk after the other.
    chunks_ = cut(group_k_, std::max<int64_t>(kernels.rows, kMostPartialSums / (a_.group * stride_)));
  }

  void run() {
    const int64_t sums = parts_.count * a_.group * chunks_.size * stride_;
    const int64_t biases = parts_.count * a_.group * chunks_.size;
    sums_ = static_cast<float*>(
        context_.shared_scratch(round_up(sums * sizeof(float), 64) + biases * sizeof(double)));
    biases_ = reinterpret_cast<double*>(reinterpret_cast<char*>(sums_) + round_up(sums * sizeof(float), 64));
    for (int64_t chunk = 0; chunk < chunks_.count; ++chunk) {
      const int64_t first = chunks_.begin(chunk), outputs = chunks_.length(chunk);
      // Blocks of outputs share out what the parts leave threads without; they do not change any sum.
      const int64_t panels = (outputs + kernels_.rows - 1) / kernels_.rows;
      const int64_t sets = parts_.count * a_.group, wanted = 2 * context_.pool.threads();
      const int64_t shares = sets >= wanted ? 1 : std::min(panels, (wanted + sets - 1) / sets);
      const Blocks blocks = cut(panels, (panels + shares - 1) / shares);
      context_.pool.run(sets * blocks.count, [&](int64_t task, int worker) {
        const int64_t block = task % blocks.count, begin = blocks.begin(block) * kernels_.rows;
        const int64_t end = std::min(outputs, begin + blocks.length(block) * kernels_.rows);
        run_part(task / blocks.count / a_.group, task / blocks.count % a_.group, first, begin, end, worker);
      });
      add_up(first, outputs);
    }
  }

 private:
  struct Scratch {
    int64_t* offsets;     // of each pixel's window within what is staged
    VectorMove* moves;    // of one column panel
    float* staged;        // [row][column][channel]
    float* diffs;         // [pixel][output]
    float* diff_sums;     // [output]
    float* column_panel;  // [pixel][width]
  };

  Scratch scratch(int worker, int64_t outputs) {
    const int64_t lanes = kernels_.lanes, width = FloatKernels::kMaxVectors * lanes;
    const auto bytes = [](int64_t count, size_t size) { return round_up(count * size, 64); };
    const int64_t offsets = bytes(most_depth_, sizeof(int64_t)), moves = bytes(width, sizeof(VectorMove));
    const Slab largest = slab_at(a_, 0, slabs_.size);
    // A slab that starts within a row may touch one more.
    const int64_t rows = largest.rows + a_.stride_h;
    const int64_t columns = slab_at(a_, 0, std::min(pixels_, a_.dst_diff.dim[3])).columns;
    const int64_t staged = bytes(rows * columns * group_c_ + lanes, sizeof(float));
    const int64_t diffs = bytes(most_depth_ * diff_stride(outputs) + kernels_.rows, sizeof(float));
    const int64_t diff_sums = bytes(outputs, sizeof(float));
    const int64_t column_panel = bytes(most_depth_ * width + lanes, sizeof(float));
    char* at = static_cast<char*>(
        context_.scratch(worker, offsets + moves + staged + diffs + diff_sums + column_panel));
    Scratch s;
    s.offsets = reinterpret_cast<int64_t*>(at);
    s.moves = reinterpret_cast<VectorMove*>(at += offsets);
    s.staged = reinterpret_cast<float*>(at += moves);
    s.diffs = reinterpret_cast<float*>(at += staged);
    s.diff_sums = reinterpret_cast<float*>(at += diffs);
    s.column_panel = reinterpret_cast<float*>(at += diff_sums);
    return s;
  }

  // From one pixel of the turned gradient to the next: an odd number of cache lines, as pixels would else
  // share a few cache sets.
  int64_t diff_stride(int64_t outputs) const {
    return (round_up(outputs, kernels_.lanes) / kernels_.lanes | 1) * kernels_.lanes;
  }
  float* sums(int64_t part, int64_t group, int64_t output) const {
    return sums_ + ((part * a_.group + group) * chunks_.size + output) * stride_;
  }
  double* bias(int64_t part, int64_t group, int64_t output) const {
    return biases_ + (part * a_.group + group) * chunks_.size + output;
  }

  // Outputs [begin, end) of the chunk that starts at output `chunk`.
  void run_part(int64_t part, int64_t group, int64_t chunk, int64_t begin, int64_t end, int worker) {
    const Scratch s = scratch(worker, end - begin);
    std::fill(bias(part, group, begin), bias(part, group, end), 0.0);
    const int64_t first_unit = parts_.begin(part);
    for (int64_t unit = first_unit; unit < first_unit + parts_.length(part); ++unit) {
      const int64_t n = unit / slabs_.count, index = unit % slabs_.count;
      const Slab slab = slab_at(a_, slabs_.begin(index), slabs_.length(index));
      stage(slab, n, group, s.staged);
      const Blocks depth = cut(slab.count, most_depth_);
      for (int64_t block = 0; block < depth.count; ++block) {
        const int64_t first = slab.first + depth.begin(block), count = depth.length(block);
        const float* diffs = a_.dst_diff.image(n) + (group * group_k_ + chunk + begin) * pixels_ + first;
        const int64_t stride = diff_stride(end - begin);
        kernels_.transpose({diffs, pixels_, end - begin, count, s.diffs, stride, s.diff_sums});
        for (int64_t k = begin; k < end; ++k) *bias(part, group, k) += s.diff_sums[k - begin];
        multiply(slab, first, count, end - begin, stride, unit > first_unit || block > 0, s,
                 sums(part, group, begin));
      }
    }
  }

  // The slab's input as pixels; zeros where the image ends.
  void stage(const Slab& slab, int64_t n, int64_t group, float* out) const {
    const int64_t H = a_.src.dim[2], W = a_.src.dim[3], C = group_c_;
    const int64_t y0 = slab.top * a_.stride_h - a_.pad_h, x0 = slab.left * a_.stride_w - a_.pad_w;
    const int64_t begin = std::clamp<int64_t>(-x0, 0, slab.columns),
                  end = std::clamp<int64_t>(W - x0, begin, slab.columns);
    const float* planes = a_.src.image(n) + group * C * H * W;
    for (int64_t i = 0; i < slab.rows; ++i, out += slab.columns * C) {
      const int64_t y = y0 + i;
      if (y < 0 || y >= H || begin == end) {
        std::fill(out, out + slab.columns * C, 0.0f);
        continue;
      }
      std::fill(out, out + begin * C, 0.0f);
      std::fill(out + end * C, out + slab.columns * C, 0.0f);
      kernels_.transpose({planes + y * W + x0 + begin, H * W, C, end - begin, out + begin * C, C, nullptr});
    }
  }

  // sums[k][column] (+)= the product over pixels [first, first + count).
  void multiply(const Slab& slab, int64_t first, int64_t count, int64_t outputs, int64_t diff_stride,
                bool accumulate, const Scratch& s, float* sums) const {
    const int64_t Q = a_.dst_diff.dim[3];
    for (int64_t i = 0; i < count; ++i) {
      const int64_t p = (first + i) / Q - slab.top, q = (first + i) % Q - slab.left;
      s.offsets[i] = (p * a_.stride_h * slab.columns + q * a_.stride_w) * group_c_;
    }
    GatherArguments g{};
    g.source = s.staged;
    g.offsets = s.offsets;
    g.depth = count;
    g.moves = s.moves;
    g.panel = s.column_panel;
    PanelArguments p{};
    p.depth = count;
    p.a = s.diffs;
    p.a_step = diff_stride;
    p.b = s.column_panel;
    p.rows = outputs;
    p.c_stride = stride_;
    p.accumulate = accumulate;
    for_each_panel(columns_, kernels_.lanes, [&](int64_t column, int vectors, int64_t have) {
      g.width = p.b_stride = p.columns = int64_t{vectors} * kernels_.lanes;
      g.moves_count = list_moves(slab, column, have, s.moves);
      kernels_.gather(g);
      p.c = sums + column;
      kernels_.panel[vectors - 1](p);
    });
  }

  // Columns [column, column + have) in the order row of the kernel, column of the kernel, channel: where they
  // lie from a window's first element on, in as few runs as there are.
  int list_moves(const Slab& slab, int64_t column, int64_t have, VectorMove* moves) const {
    const int64_t S = a_.weights.dim[3], run = (a_.dilation_w == 1 ? S : 1) * group_c_;
    int count = 0;
    for (int64_t j = column; j < column + have;) {
      const int64_t tap = j / group_c_, r = tap / S, end = std::min(column + have, (j / run + 1) * run);
      const int64_t at =
          (r * a_.dilation_h * slab.columns + tap % S * a_.dilation_w) * group_c_ + j % group_c_;
      for (int64_t i = j; i < end; i += kernels_.lanes) moves[count++] = {at + i - j, i - column};
      j = end;
    }
    return count;
  }

  // Adds the parts' sums, in order, to the gradients of outputs [first, first + outputs) of every group.
  void add_up(int64_t first, int64_t outputs) {
    const int64_t grain = std::max<int64_t>(1, 16384 / (stride_ * parts_.count));
    context_.pool.for_range(a_.group * outputs, grain, [&](int64_t begin, int64_t end, int worker) {
      float* total = static_cast<float*>(context_.scratch(worker, stride_ * sizeof(float)));
      for (int64_t i = begin; i < end; ++i) {
        const int64_t group = i / outputs, output = i % outputs, k = group * group_k_ + first + output;
        if (a_.bias_diff) {
          double sum = 0;
          for (int64_t part = 0; part < parts_.count; ++part) sum += *bias(part, group, output);
          a_.bias_diff.f32()[k] += float(sum);
        }
        std::copy_n(sums(0, group, output), columns_, total);
        for (int64_t part = 1; part < parts_.count; ++part) {
          const float* from = sums(part, group, output);
          for (int64_t j = 0; j < columns_; ++j) total[j] += from[j];
        }
        float* diff = a_.weights_diff.f32() + k * columns_;
        for (int64_t c = 0; c < group_c_; ++c)
          for (int64_t t = 0; t < taps_; ++t) diff[c * taps_ + t] += total[t * group_c_ + c];
      }
    });
  }

  Context& context_;
  const ConvolutionGradientArguments a_;
  const FloatKernels& kernels_;
  const int64_t group_c_, group_k_, taps_, columns_, stride_, pixels_;
  int64_t most_depth_;  // pixels of one product
  Blocks slabs_, parts_, chunks_;
  float* sums_ = nullptr;     // [part][group][output of the chunk][stride_]
  double* biases_ = nullptr;  // [part][group][output of the chunk]
};

}  // namespace

bool convolution_weights_gradient_supports(const ConvolutionGradientArguments& arguments) {
  const ConvolutionGradientArguments a = normalised(arguments);
  const Slab slab = slab_at(a, 0, std::min(a.dst_diff.dim[2] * a.dst_diff.dim[3], kMostSlab));
  const int64_t columns = slab_at(a, 0, a.dst_diff.dim[3]).columns;
  return (slab.rows + a.stride_h) <= kMostStaged / columns / a.weights.dim[1];
}

void convolution_weights_gradient(Context& context, const ConvolutionGradientArguments& arguments,
                                  const FloatKernels& kernels) {
  if (arguments.src.images() == 0) return;
  if (arguments.weights_diff)
    WeightsGradient(context, arguments, kernels).run();
  else if (arguments.bias_diff)
    sum_channels(context, arguments.dst_diff, arguments.bias_diff.f32());
}

}  // namespace ristretto
