#include "convolution_winograd.h"

#include <algorithm>

#include "../trim/trim.h"
#include "float_panels.h"
#include "staged_rows.h"
#include "winograd_transform.h"

namespace ristretto {

namespace {

using winograd::kPatch, winograd::kPositions, winograd::kTile, winograd::KernelTransform, winograd::spread,
    winograd::tiles_along;

constexpr int64_t kMostStaged = int64_t{1} << 26;  // floats

// Floats beyond a staged plane that loading a patch's six columns as two groups of four reads.
constexpr int64_t kReadBeyond = 2;

// The same problem with an output of whole tiles: what is staged then holds every patch.
ConvolutionArguments padded_to_tiles(ConvolutionArguments a) {
  a.dst.dim[2] = tiles_along(a.dst.dim[2]) * kTile;
  a.dst.dim[3] = tiles_along(a.dst.dim[3]) * kTile;
  return a;
}

class WinogradConvolution {
 public:
  WinogradConvolution(Context& context, const ConvolutionArguments& a, const FloatKernels& kernels)
      : context_(context),
        a_(a),
        padded_(padded_to_tiles(a)),
        kernels_(kernels),
        rows_(padded_),
        group_c_(a.src.dim[1] / a.group),
        group_k_(a.dst.dim[1] / a.group),
        tiles_w_(tiles_along(a.dst.dim[3])),
        tiles_(tiles_along(a.dst.dim[2]) * tiles_w_),
        chunk_rows_(2 * kernels.lanes),
        depth_blocks_(cut_depth(group_c_, kernels)) {
    // Tasks are (group, tiles of all images in one row, part of the rows). The transformed input of a task
    // fills half of the second-level cache.
    const int64_t vectors = (a.src.images() * tiles_ + kernels.lanes - 1) / kernels.lanes;
    constexpr int64_t kPanel = FloatKernels::kMaxVectors;
    int64_t most = kernels.l2_bytes / 2 / (kPositions * group_c_ * kernels.lanes * 4);
    most = std::max<int64_t>(1, most / kPanel) * kPanel;
    blocks_ = cut(vectors, most);
    const int64_t threads = context.pool.threads(), sets = a.group * blocks_.count;
    const int64_t chunks = (group_k_ + chunk_rows_ - 1) / chunk_rows_;
    int64_t parts = 1;
    // Parts repeat the transform of the input, so only where threads would else go without work.
    if (sets < 4 * threads)
      while (parts < chunks && sets * parts % threads != 0) ++parts;
    chunk_parts_ = cut(chunks, (chunks + parts - 1) / parts);
    pack_weights();
  }

  void run() {
    const int64_t parts = chunk_parts_.count;
    context_.pool.run(a_.group * blocks_.count * parts, [&](int64_t task, int worker) {
      run_task(task / parts / blocks_.count, task / parts % blocks_.count, task % parts, worker);
    });
  }

 private:
  int64_t chunk_size() const { return kPositions * packed_rows_count(chunk_rows_, group_c_, kernels_); }
  int64_t group_size() const { return kPositions * packed_rows_count(group_k_, group_c_, kernels_); }
  int64_t rows_of_chunk(int64_t chunk) const { return std::min(chunk_rows_, group_k_ - chunk * chunk_rows_); }
  // Packed weights of one position, for the rows of one chunk.
  float* weights_at(int64_t group, int64_t chunk, int64_t position) const {
    return weights_ + group * group_size() + chunk * chunk_size() +
           position * packed_rows_count(rows_of_chunk(chunk), group_c_, kernels_);
  }

  void pack_weights() {
    const int64_t bytes = a_.group * group_size() * sizeof(float);
    PackedWeights* kept = a_.packed;
    const void* const tag = &kernels_.winograd_output;
    if (kept) {
      const bool fits = int64_t(kept->data.size()) == bytes;
      if (kept->packed_by == tag && kept->version == a_.weights_version && fits) {
        weights_ = static_cast<float*>(kept->data.data());
        return;
      }
      kept->version = -1;  // until the packing has succeeded
      if (!fits) kept->data = AlignedBuffer(bytes);
      weights_ = static_cast<float*>(kept->data.data());
    } else {
      weights_ = static_cast<float*>(context_.shared_scratch(bytes, 1));
    }
    const KernelTransform transform_kernel;
    // One chunk's rows at a time, transformed to [position][row][channel], then packed.
    const int64_t plane = chunk_rows_ * group_c_;
    const int64_t chunks = (group_k_ + chunk_rows_ - 1) / chunk_rows_;
    context_.pool.run(a_.group * chunks, [&](int64_t task, int worker) {
      const int64_t group = task / chunks, chunk = task % chunks, rows = rows_of_chunk(chunk);
      float* transformed = static_cast<float*>(context_.scratch(worker, kPositions * plane * sizeof(float)));
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t k = group * group_k_ + chunk * chunk_rows_ + row;
        for (int64_t c = 0; c < group_c_; ++c) {
          double u[kPatch][kPatch];
          transform_kernel(a_.weights.f32() + (k * group_c_ + c) * 9, u);
          for (int64_t p = 0; p < kPositions; ++p)
            transformed[p * plane + row * group_c_ + c] = float(u[p / kPatch][p % kPatch]);
        }
      }
      for (int64_t p = 0; p < kPositions; ++p) {
        float* out = weights_at(group, chunk, p);
        const PackedRows shape = packed_rows_at(kernels_, rows, group_c_, out);
        pack_row_panels(kernels_, transformed + p * plane, group_c_, 1, shape, 0, shape.panels, 1.0f, out);
      }
    });
    if (kept) {
      kept->packed_by = tag;
      kept->version = a_.weights_version;
    }
  }

  struct Scratch {
    int64_t* offsets;     // [tiles], of each tile's patch within the staged planes
    WinogradLane* lanes;  // [tiles]
    float* spare;         // where tiles that cross the image's edge are stored
    float* transformed;   // [position][panel][channel][width]
    float* products;      // [position][row of a chunk][width]
    float* staged;
  };

  void run_task(int64_t group, int64_t block, int64_t part, int worker) {
    const int64_t lanes = kernels_.lanes, Q = a_.dst.dim[3];
    const int64_t first = blocks_.begin(block) * lanes, width = blocks_.length(block) * lanes;
    const int64_t count = std::min(a_.src.images() * tiles_ - first, width);
    const int64_t position_stride = spread(group_c_ * width);
    const int64_t product_stride = spread(chunk_rows_ * FloatKernels::kMaxVectors * lanes);

    // Tile rows of every image that the block touches, as many for each: one stride between channels fits
    // all.
    int64_t images = 0, plane_rows = 0;
    for_each_image(first, count, [&](int64_t, int64_t begin, int64_t end, int64_t) {
      ++images;
      plane_rows = std::max(plane_rows, tile_rows(begin, end).rows);
    });
    StagedRows::Block shape = tile_rows(0, 1);
    shape.rows = plane_rows;
    const int64_t staged_image = rows_.size(shape, group_c_, kReadBeyond);
    const auto round = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
    const int64_t offsets_bytes = round(width * sizeof(int64_t)),
                  lanes_bytes = round(width * sizeof(WinogradLane));
    const int64_t spare_bytes = round(lanes * spare_size() * sizeof(float));
    const int64_t transformed_bytes = kPositions * position_stride * sizeof(float);
    const int64_t products_bytes = kPositions * product_stride * sizeof(float);
    const int64_t staged_bytes = images * staged_image * sizeof(float);
    char* at =
        static_cast<char*>(context_.scratch(worker, offsets_bytes + lanes_bytes + spare_bytes +
                                                        transformed_bytes + products_bytes + staged_bytes));
    Scratch s;
    s.offsets = reinterpret_cast<int64_t*>(at);
    s.lanes = reinterpret_cast<WinogradLane*>(at += offsets_bytes);
    s.spare = reinterpret_cast<float*>(at += lanes_bytes);
    s.transformed = reinterpret_cast<float*>(at += spare_bytes);
    s.products = reinterpret_cast<float*>(at += transformed_bytes);
    s.staged = reinterpret_cast<float*>(at += products_bytes);

    stage(group, first, count, width, plane_rows, staged_image, s);
    for_each_panel(width, int(lanes), [&](int64_t column, int vectors, int64_t panel_width) {
      float* panel = s.transformed + column * group_c_;
      WinogradInput input{};
      input.source = s.staged;
      input.channel_stride = shape.plane();
      input.row_stride = shape.columns;
      input.channels = group_c_;
      input.out_position_stride = position_stride;
      input.out_channel_stride = panel_width;
      for (int64_t v = 0; v < panel_width; v += lanes) {
        input.offsets = s.offsets + column + v;
        input.out = panel + v;
        kernels_.winograd_input(input);
      }
      for (int64_t i = 0; i < chunk_parts_.length(part); ++i) {
        const int64_t chunk = chunk_parts_.begin(part) + i;
        multiply(group, chunk, panel, panel_width, vectors, position_stride, s.products, product_stride);
        WinogradOutput output{};
        output.position_stride = product_stride;
        output.row_stride = panel_width;
        output.rows = rows_of_chunk(chunk);
        output.first_row = chunk * chunk_rows_;
        output.bias = a_.bias ? a_.bias.f32() + group * group_k_ + output.first_row : nullptr;
        output.relu = a_.relu;
        output.line_stride = Q;
        output.edge_row_stride = a_.dst.dim[2] * Q;
        for (int64_t v = 0; v < panel_width; v += lanes) {
          output.products = s.products + v;
          output.lanes = s.lanes + column + v;
          kernels_.winograd_output(output);
        }
      }
    });
  }

  // products[position] = weights of the chunk * transformed input of the panel.
  void multiply(int64_t group, int64_t chunk, const float* panel, int64_t panel_width, int vectors,
                int64_t position_stride, float* products, int64_t product_stride) const {
    PanelArguments p{};
    p.rows = rows_of_chunk(chunk);
    p.b_stride = p.c_stride = p.columns = panel_width;
    for (int64_t position = 0; position < kPositions; ++position) {
      const PackedRows weights =
          packed_rows_at(kernels_, p.rows, group_c_, weights_at(group, chunk, position));
      p.c = products + position * product_stride;
      for (int64_t block = 0; block < depth_blocks_.count; ++block) {
        p.depth = depth_blocks_.length(block);
        p.a = weights.at(block, 0, kernels_);
        p.b = panel + position * position_stride + depth_blocks_.begin(block) * panel_width;
        p.accumulate = block > 0;
        kernels_.panel[vectors - 1](p);
      }
    }
  }

  // Calls body(image, first tile, end tile, index of the first within the block) for the images of a block.
  template <class Body>
  void for_each_image(int64_t first, int64_t count, const Body& body) const {
    for (int64_t at = first; at < first + count;) {
      const int64_t n = at / tiles_, end = std::min(first + count, (n + 1) * tiles_);
      body(n, at - n * tiles_, end - n * tiles_, at - first);
      at = end;
    }
  }

  StagedRows::Block tile_rows(int64_t begin, int64_t end) const {
    const int64_t row = begin / tiles_w_, rows = (end - 1) / tiles_w_ + 1 - row, width = padded_.dst.dim[3];
    return rows_.block(row * kTile * width, rows * kTile * width);
  }

  int64_t spare_size() const { return 3 * a_.dst.dim[3] + kTile; }

  // Stages what a block's tiles read and notes where each reads and writes; lanes beyond `count` compute on
  // anything and write to a spare place.
  void stage(int64_t group, int64_t first, int64_t count, int64_t width, int64_t plane_rows,
             int64_t staged_image, const Scratch& s) const {
    const int64_t P = a_.dst.dim[2], Q = a_.dst.dim[3], pixels = P * Q;
    int64_t base = 0;
    for_each_image(first, count, [&](int64_t n, int64_t begin, int64_t end, int64_t index) {
      StagedRows::Block b = tile_rows(begin, end);
      b.rows = plane_rows;
      rows_.stage(b, n, group * group_c_, group_c_, context_.features, nullptr, s.staged + base);
      float* dst = a_.dst.image(n) + group * group_k_ * pixels;
      for (int64_t tile = begin; tile < end; ++tile, ++index) {
        const int64_t y = tile / tiles_w_ * kTile, x = tile % tiles_w_ * kTile;
        const int height = int(std::min(kTile, P - y)), tile_width = int(std::min(kTile, Q - x));
        s.offsets[index] = base + (y - b.row) * b.columns + x;
        s.lanes[index] = height == kTile && tile_width == kTile
                             ? WinogradLane{dst + y * Q + x, pixels, nullptr, 0, 0}
                             : WinogradLane{spare(s, index), 0, dst + y * Q + x, height, tile_width};
      }
      base += staged_image;
    });
    for (int64_t index = count; index < width; ++index) {
      s.offsets[index] = 0;
      s.lanes[index] = {spare(s, index), 0, nullptr, 0, 0};
    }
  }

  float* spare(const Scratch& s, int64_t index) const {
    return s.spare + index % kernels_.lanes * spare_size();
  }

  Context& context_;
  const ConvolutionArguments a_, padded_;
  const FloatKernels& kernels_;
  const StagedRows rows_;
  const int64_t group_c_, group_k_, tiles_w_, tiles_, chunk_rows_;
  const Blocks depth_blocks_;
  Blocks blocks_, chunk_parts_;
  float* weights_ = nullptr;
};

// The output is trimmed plane by plane behind the ReLU: formats for which the two commute, and that draw no
// words.
bool trims_planes(const TrimFormat& format) {
  return format.rounding != Rounding::stochastic && format.kind != FormatKind::integer_power_of_two;
}

void trim_output(Context& context, const ConvolutionArguments& a) {
  const int64_t planes = a.dst.dim[1], pixels = a.dst.dim[2] * a.dst.dim[3];
  context.pool.for_range(a.dst.images() * planes, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t plane = begin; plane < end; ++plane) {
      float* at = a.dst.image(plane / planes) + plane % planes * pixels;
      require(trim_span(at, at, pixels, a.dst_trim, {}, context.features), "NaN in the layer's output");
    }
  });
}

}  // namespace

bool convolution_winograd_supports(const ConvolutionArguments& a) {
  if (!a.winograd || !trims_planes(a.dst_trim)) return false;
  if (a.weights.dim[2] != 3 || a.weights.dim[3] != 3) return false;
  if (a.stride_h != 1 || a.stride_w != 1 || a.dilation_h != 1 || a.dilation_w != 1) return false;
  const int64_t P = a.dst.dim[2], Q = a.dst.dim[3], tiles = tiles_along(P) * tiles_along(Q);
  // The transforms cost about as much as eight channels' products; tiles that hang over the edge waste
  // theirs.
  if (a.weights.dim[1] < 8 || a.weights.dim[0] / a.group < 8 || 9 * P * Q < 3 * kPositions * tiles / 2)
    return false;
  const int64_t C = a.weights.dim[1], width = tiles_along(Q) * kTile + 2;
  return (std::min(P, 64 * kTile) + 2 * kTile) * width <= kMostStaged / C && Q <= kMostStaged / 64;
}

void convolution_winograd(Context& context, const ConvolutionArguments& arguments,
                          const FloatKernels& kernels) {
  if (arguments.src.images() == 0) return;
  WinogradConvolution(context, arguments, kernels).run();
  if (arguments.dst_trim) trim_output(context, arguments);
}

}  // namespace ristretto
