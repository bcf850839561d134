#include "convolution_panels.h"

#include <algorithm>

#include "../trim/trim.h"
#include "float_panels.h"
#include "staged_rows.h"

namespace ristretto {

namespace {

constexpr int64_t kMostStaged = int64_t{1} << 26;  // floats

// A 1x1 convolution without stride or padding reads every image as one long row.
bool is_pointwise(const ConvolutionArguments& a) {
  return a.weights.dim[2] == 1 && a.weights.dim[3] == 1 && a.stride_h == 1 && a.stride_w == 1 &&
         a.pad_h == 0 && a.pad_w == 0;
}

void flatten_image(Tensor& tensor) {
  tensor.dim[3] *= tensor.dim[2];
  tensor.dim[2] = 1;
}

// Of a 1x1 convolution with padding only the inside is a product; the border is trim(bias). Random words
// belong to places in the whole output, so a stochastic trim goes the general way.
bool is_inset(const ConvolutionArguments& a) {
  return a.weights.dim[2] == 1 && a.weights.dim[3] == 1 && a.stride_h == 1 && a.stride_w == 1 &&
         (a.pad_h > 0 || a.pad_w > 0) && !(a.dst_trim && a.dst_trim.rounding == Rounding::stochastic);
}

// The same problem in the shape that the gathers like best.
ConvolutionArguments normalised(ConvolutionArguments a) {
  if (is_inset(a)) {
    a.pad_h = a.pad_w = 0;
    a.dst.dim[2] = a.src.dim[2];
    a.dst.dim[3] = a.src.dim[3];
  }
  if (is_pointwise(a)) {
    flatten_image(a.src);
    flatten_image(a.dst);
  }
  return a;
}

// How one call is cut: tasks are (image, group, block of pixels).
struct Plan {
  int64_t depth, group_c, group_k, pixels;
  Blocks blocks;  // of vectors of pixels
  Blocks depth_blocks;
};

Plan make_plan(const ConvolutionArguments& a, const FloatKernels& kernels, int threads) {
  Plan plan;
  plan.group_c = a.src.dim[1] / a.group;
  plan.group_k = a.dst.dim[1] / a.group;
  plan.depth = plan.group_c * a.weights.dim[2] * a.weights.dim[3];
  plan.pixels = a.dst.dim[2] * a.dst.dim[3];
  plan.depth_blocks = cut_depth(plan.depth, kernels);
  const int64_t vectors = (plan.pixels + kernels.lanes - 1) / kernels.lanes;
  // Packed column panels fill a quarter of the second-level cache; small problems are cut until every thread
  // has work.
  constexpr int64_t kPanel = FloatKernels::kMaxVectors;
  int64_t most = kernels.l2_bytes / 16 / plan.depth_blocks.size / (kernels.lanes * kPanel);
  most = std::clamp<int64_t>(most, 1, 64) * kPanel;
  const int64_t sets = std::max<int64_t>(1, a.src.images() * a.group);
  int64_t count = cut(vectors, most).count;
  if (sets * count < 4 * threads) {
    const int64_t fair = std::max<int64_t>(1, (threads + sets - 1) / sets);
    count = std::min((count + fair - 1) / fair * fair, std::max<int64_t>(1, vectors / 2));
  }
  plan.blocks = cut(vectors, (vectors + count - 1) / count);
  return plan;
}

void pack_weights(Context& context, const ConvolutionArguments& a, const FloatKernels& kernels,
                  const Plan& plan, std::vector<PackedRows>& groups) {
  const int64_t count = packed_rows_count(plan.group_k, plan.depth, kernels),
                bytes = a.group * count * sizeof(float);
  PackedWeights* kept = a.packed;
  float* data;
  bool ready = false;
  if (kept) {
    ready = kept->packed_by == &kernels && kept->version == a.weights_version &&
            int64_t(kept->data.size()) == bytes;
    if (!ready) {
      kept->version = -1;  // until the packing has succeeded
      if (int64_t(kept->data.size()) != bytes) kept->data = AlignedBuffer(bytes);
    }
    data = static_cast<float*>(kept->data.data());
  } else {
    data = static_cast<float*>(context.shared_scratch(bytes));
  }
  for (int64_t g = 0; g < a.group; ++g) {
    const float* weights = a.weights.f32() + g * plan.group_k * plan.depth;
    float* to = data + g * count;
    groups.push_back(
        ready ? packed_rows_at(kernels, plan.group_k, plan.depth, to)
              : pack_rows(context, kernels, weights, plan.depth, 1, plan.group_k, plan.depth, 1.0f, to));
  }
  if (kept && !ready) {
    kept->packed_by = &kernels;
    kept->version = a.weights_version;
  }
}

// One worker's scratch, carved in this order.
struct Scratch {
  int64_t* offsets;
  VectorMove* moves;
  PanelSpan* spans;
  float* line;
  float* panels;
  float* staged;
  float* inside;  // of an inset's block: [channel][pixel]
};

class PanelConvolution {
 public:
  PanelConvolution(Context& context, const ConvolutionArguments& whole, const FloatKernels& kernels)
      : context_(context),
        whole_(whole),
        a_(normalised(whole)),
        kernels_(kernels),
        plan_(make_plan(a_, kernels, context.pool.threads())),
        rows_(a_),
        pointwise_(is_pointwise(a_)),
        fused_src_(pointwise_ && a_.src_trim && kernels.fuses_trim(a_.src_trim)),
        direct_(pointwise_ && (!a_.src_trim || fused_src_)),
        inset_(is_inset(whole)),
        relu_first_(a_.dst_trim.kind != FormatKind::integer_power_of_two),
        fused_(a_.dst_trim && kernels.fuses_trim(a_.dst_trim)) {
    pack_weights(context, a_, kernels_, plan_, weights_);
  }

  void run() {
    const int64_t blocks = plan_.blocks.count;
    context_.pool.run(a_.src.images() * a_.group * blocks, [&](int64_t task, int worker) {
      run_block(task / blocks / a_.group, task / blocks % a_.group, task % blocks, worker);
    });
  }

 private:
  Scratch scratch(int worker, const StagedRows::Block& block) {
    const int64_t lanes = kernels_.lanes;
    const int64_t width = (block.count + lanes - 1) / lanes * lanes;
    const auto round = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
    const int64_t offsets = round(plan_.depth * sizeof(int64_t));
    const int64_t moves = round(FloatKernels::kMaxVectors * lanes * sizeof(VectorMove));
    const int64_t spans = round((width / lanes) * sizeof(PanelSpan));
    const int64_t line = round(rows_.line_size() * sizeof(float));
    const int64_t panels = round((width * plan_.depth_blocks.size + lanes) * sizeof(float));
    const int64_t staged = round(direct_ ? 0 : rows_.size(block, plan_.group_c, int(lanes)) * sizeof(float));
    const int64_t inside = inset_ ? plan_.group_k * block.count * sizeof(float) : 0;
    char* at = static_cast<char*>(
        context_.scratch(worker, offsets + moves + spans + line + panels + staged + inside));
    Scratch s;
    s.offsets = reinterpret_cast<int64_t*>(at);
    s.moves = reinterpret_cast<VectorMove*>(at += offsets);
    s.spans = reinterpret_cast<PanelSpan*>(at += moves);
    s.line = reinterpret_cast<float*>(at += spans);
    s.panels = reinterpret_cast<float*>(at += line);
    s.staged = reinterpret_cast<float*>(at += panels);
    s.inside = reinterpret_cast<float*>(at += staged);
    return s;
  }

  void run_block(int64_t n, int64_t group, int64_t index, int worker) {
    const int64_t lanes = kernels_.lanes, first = plan_.blocks.begin(index) * lanes;
    const int64_t count = std::min(plan_.pixels - first, plan_.blocks.length(index) * lanes);
    const StagedRows::Block block = rows_.block(first, count);
    const Scratch s = scratch(worker, block);
    const float* source;
    if (direct_) {
      source = a_.src.image(n) + group * plan_.group_c * plan_.pixels + first;
    } else {
      rows_.stage(block, n, group * plan_.group_c, plan_.group_c, context_.features, s.line, s.staged);
      if (!pointwise_) rows_.offsets(block, plan_.group_c, s.offsets);
      source = s.staged;
    }

    bool nan = false;
    const PackedRows& weights = weights_[group];
    const int64_t first_k = group * plan_.group_k;
    float* dst = inset_ ? s.inside : a_.dst.image(n) + first_k * plan_.pixels + first;
    const int64_t dst_stride = inset_ ? count : plan_.pixels;
    const int64_t slab = rows_per_slab(plan_.depth_blocks.size, kernels_);
    for (int64_t part = 0; part < plan_.depth_blocks.count; ++part) {
      const int64_t depth = plan_.depth_blocks.length(part);
      const bool last = part + 1 == plan_.depth_blocks.count;
      if (pointwise_) {
        split(source, s, part, count);
      } else {
        for_each_panel(count, int(lanes), [&](int64_t column, int vectors, int64_t have) {
          gather(block, source, s, part, column, vectors * lanes, have, s.panels + column * depth);
        });
      }
      for (int64_t row = 0; row < plan_.group_k; row += slab) {
        PanelArguments p{};
        p.depth = depth;
        p.a = weights.at(part, row / kernels_.rows, kernels_);
        p.rows = std::min(slab, plan_.group_k - row);
        p.c_stride = dst_stride;
        p.accumulate = part > 0;
        p.bias = last && a_.bias ? a_.bias.f32() + first_k + row : nullptr;
        p.relu = last && a_.relu && relu_first_;
        p.trim = last && fused_ ? &a_.dst_trim : nullptr;
        p.nan = &nan;
        for_each_panel(count, int(lanes), [&](int64_t column, int vectors, int64_t have) {
          p.b = s.panels + column * depth;
          p.b_stride = vectors * lanes;
          p.c = dst + row * dst_stride + column;
          p.columns = have;
          kernels_.panel[vectors - 1](p);
        });
      }
    }
    require(!nan, "NaN in the layer's output");
    if (a_.dst_trim && !fused_) trim_block(n, first_k, first, count, dst, dst_stride);
    if (inset_) {
      place_inside(n, first_k, first, count, dst);
      if (index == 0) fill_border(n, first_k);
    }
  }

  // One depth block of a 1x1 convolution's input into panels.
  void split(const float* source, const Scratch& s, int64_t part, int64_t count) const {
    const int64_t depth = plan_.depth_blocks.length(part);
    SplitArguments g{};
    g.row_stride = direct_ ? plan_.pixels : count;
    g.source = source + plan_.depth_blocks.begin(part) * g.row_stride;
    g.depth = depth;
    g.spans = s.spans;
    for_each_panel(count, kernels_.lanes, [&](int64_t column, int vectors, int64_t) {
      s.spans[g.spans_count++] = {column, vectors, s.panels + column * depth};
    });
    // A full vector at a row's end reads on into the next channels. The last ones do not have enough of them:
    // as many as the rest of a vector covers, more than one where planes are small.
    const int64_t lanes = kernels_.lanes, beyond = (lanes - count % lanes) % lanes;
    const int64_t unsafe = (beyond + g.row_stride - 1) / g.row_stride;
    g.last_lanes = int(lanes - beyond);
    g.whole_rows = std::min(depth, plan_.depth - plan_.depth_blocks.begin(part) - unsafe);
    bool nan = false;
    g.trim = fused_src_ ? &a_.src_trim : nullptr;
    g.nan = &nan;
    kernels_.split(g);
    require(!nan, "NaN in the layer's input");
  }

  // Columns [column, column + have) of a block, one depth block, into a panel of `width`.
  void gather(const StagedRows::Block& block, const float* source, const Scratch& s, int64_t part,
              int64_t column, int64_t width, int64_t have, float* panel) const {
    const int64_t lanes = kernels_.lanes, Q = a_.dst.dim[3];
    GatherArguments g{};
    g.source = source;
    g.offsets = s.offsets + plan_.depth_blocks.begin(part);
    g.depth = plan_.depth_blocks.length(part);
    g.moves = s.moves;
    g.panel = panel;
    g.width = width;
    const int64_t begin = block.first + column, end = begin + have;
    for (int64_t pixel = begin; pixel < end;) {
      const int64_t p = pixel / Q, q = pixel % Q, run = std::min(end - pixel, Q - q);
      const int64_t at = (p - block.row) * block.columns + q - block.column;
      for (int64_t j = 0; j < run; j += lanes) s.moves[g.moves_count++] = {at + j, pixel - begin + j};
      pixel += run;
    }
    kernels_.gather(g);
  }

  void trim_block(int64_t n, int64_t first_k, int64_t first, int64_t count, float* dst,
                  int64_t stride) const {
    RandomStream random = a_.dst_random;
    for (int64_t k = 0; k < plan_.group_k; ++k) {
      float* row = dst + k * stride;
      random.first_element =
          a_.dst_random.first_element + (n * a_.dst.dim[1] + first_k + k) * plan_.pixels + first;
      require(trim_span(row, row, count, a_.dst_trim, random, context_.features),
              "NaN in the layer's output");
      if (a_.relu && !relu_first_)
        for (int64_t i = 0; i < count; ++i) row[i] = row[i] < 0 ? 0 : row[i];
    }
  }

  // Pixels [first, first + count) of the inside, from [channel][pixel] to their places in the output.
  void place_inside(int64_t n, int64_t first_k, int64_t first, int64_t count, const float* inside) const {
    const int64_t P = whole_.dst.dim[2], Q = whole_.dst.dim[3], W = whole_.src.dim[3];
    for (int64_t k = 0; k < plan_.group_k; ++k) {
      float* dst = whole_.dst.image(n) + (first_k + k) * P * Q + whole_.pad_h * Q + whole_.pad_w;
      for (int64_t pixel = first; pixel < first + count;) {
        const int64_t run = std::min(first + count - pixel, W - pixel % W);
        std::copy_n(inside, run, dst + pixel / W * Q + pixel % W);
        inside += run;
        pixel += run;
      }
    }
  }

  void fill_border(int64_t n, int64_t first_k) const {
    const int64_t P = whole_.dst.dim[2], Q = whole_.dst.dim[3], H = whole_.src.dim[2], W = whole_.src.dim[3];
    for (int64_t k = first_k; k < first_k + plan_.group_k; ++k) {
      float value = a_.bias ? a_.bias.f32()[k] : 0.0f;
      require(trim_span(&value, &value, 1, a_.dst_trim, a_.dst_random, context_.features),
              "NaN in the layer's output");
      if (a_.relu && value < 0) value = 0;
      float* dst = whole_.dst.image(n) + k * P * Q;
      std::fill(dst, dst + whole_.pad_h * Q, value);
      for (int64_t p = whole_.pad_h; p < whole_.pad_h + H; ++p) {
        std::fill(dst + p * Q, dst + p * Q + whole_.pad_w, value);
        std::fill(dst + p * Q + whole_.pad_w + W, dst + (p + 1) * Q, value);
      }
      std::fill(dst + (whole_.pad_h + H) * Q, dst + P * Q, value);
    }
  }

  Context& context_;
  const ConvolutionArguments whole_, a_;  // as called, and normalised
  const FloatKernels& kernels_;
  const Plan plan_;
  const StagedRows rows_;
  const bool pointwise_, fused_src_, direct_, inset_;
  // Trims that keep signs and 0 commute with the ReLU.
  const bool relu_first_, fused_;
  std::vector<PackedRows> weights_;  // per group
};

}  // namespace

bool convolution_panels_supports(const ConvolutionArguments& arguments) {
  const ConvolutionArguments a = normalised(arguments);
  const Plan plan = make_plan(a, *float_kernels_portable(), 1);
  const StagedRows rows(a);
  // No block of any table stages more than this one with all of the image's pixels, or a fair part of them.
  const int64_t count = std::min<int64_t>(plan.pixels, 64 * FloatKernels::kMaxVectors * 16);
  return rows.size(rows.block(0, count), plan.group_c, 16) <= kMostStaged && plan.depth <= kMostStaged;
}

void convolution_panels(Context& context, const ConvolutionArguments& arguments,
                        const FloatKernels& kernels) {
  PanelConvolution(context, arguments, kernels).run();
}

}  // namespace ristretto
