// The gradient of 3x3 weights in the form of Winograd's F(4x4, 3x3): 16 gradients of the output and the 6 x 6
// inputs that they meet become 36 numbers each, whose products are summed over all tiles of all images: 36
// matrix products [channels] x [outputs] with the tiles as depth. The sums come back as 3x3 kernels. The rows
// of tiles are cut into a fixed number of parts, each with sums of its own, which are added in order: the
// same whatever thread made which.
#include <algorithm>
#include <vector>

#include "convolution_gradient.h"
#include "float_panels.h"
#include "winograd_transform.h"

namespace ristretto {

namespace {

using winograd::kPatch, winograd::kPositions, winograd::kTile, winograd::KernelTransform, winograd::spread,
    winograd::tiles_along;

constexpr int64_t kMostParts = 8, kFewestUnitsOfPart = 3;
constexpr int64_t kMostPartialSums = int64_t{1} << 24;  // floats of all parts together
constexpr int64_t kMostTiles = int64_t{1} << 16;        // of an image
constexpr int64_t kMostTilesOfRow = 512;
constexpr int64_t kMostChannels = 64;  // of the input that are transformed at once
constexpr int64_t kMostDepth =
    128;  // tiles of one product: its column panel takes half the first-level cache
constexpr int64_t kBandPixels = 256;  // of the output's gradient that are turned at once

int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

class WinogradWeightsGradient {
 public:
  WinogradWeightsGradient(Context& context, const ConvolutionGradientArguments& a,
                          const FloatKernels& kernels)
      : context_(context),
        a_(a),
        kernels_(kernels),
        lanes_(kernels.lanes),
        group_c_(a.src.dim[1] / a.group),
        group_k_(a.dst_diff.dim[1] / a.group),
        stride_k_(round_up(group_k_, lanes_)),
        tiles_h_(tiles_along(a.dst_diff.dim[2])),
        tiles_w_(tiles_along(a.dst_diff.dim[3])) {
    for_each_panel(group_k_, int(lanes_), [&](int64_t column, int vectors, int64_t have) {
      panels_.push_back({column, vectors, have});
    });
    const int64_t vectors = (group_c_ + lanes_ - 1) / lanes_;
    chunks_ = cut(vectors, kMostChannels / lanes_);
    // What both operands of a unit (some rows of tiles) become stays in the second-level cache.
    const int64_t per_tile = 4 * kPositions * (chunks_.size * lanes_ + FloatKernels::kMaxVectors * lanes_);
    const int64_t most = std::min(kMostDepth, kernels.l2_bytes * 3 / 4 / per_tile);
    units_ = cut(a.src.images() * tiles_h_, std::max<int64_t>(1, most / tiles_w_));
    const int64_t parts = std::clamp<int64_t>(
        std::min(kMostPartialSums / sums_size(), units_.count / kFewestUnitsOfPart), 1, kMostParts);
    parts_ = cut(units_.count, (units_.count + parts - 1) / parts);
    list_pixels();
  }

  void run() {
    const int64_t sums = round_up(parts_.count * a_.group * sums_size() * sizeof(float), 64);
    const int64_t biases = parts_.count * a_.group * stride_k_ * sizeof(double);
    sums_ = static_cast<float*>(context_.shared_scratch(sums + biases));
    biases_ = reinterpret_cast<double*>(reinterpret_cast<char*>(sums_) + sums);
    // Shares of the panels give work to threads that the rest leaves without; they do not change any sum.
    const int64_t sets = parts_.count * a_.group * chunks_.count, wanted = 2 * context_.pool.threads();
    const int64_t panels = int64_t(panels_.size());
    const int64_t count = sets >= wanted ? 1 : std::min(panels, (wanted + sets - 1) / sets);
    const Blocks shares = cut(panels, (panels + count - 1) / count);
    context_.pool.run(sets * shares.count, [&](int64_t task, int worker) {
      const int64_t share = task % shares.count, set = task / shares.count;
      run_part(set / chunks_.count / a_.group, set / chunks_.count % a_.group, set % chunks_.count,
               shares.begin(share), shares.begin(share) + shares.length(share), worker);
    });
    add_up();
  }

 private:
  struct Panel {
    int64_t column;
    int vectors;
    int64_t have;  // outputs, the rest of the last vector is 0
  };
  struct Scratch {
    float* patches;    // [position][tile][channel]
    float* gradients;  // [position][tile][output of the panel]
    float* pixels;     // [pixel][channel or output]
    float* outside;    // zeros
    float* diff_sums;  // [output of the panel]
  };

  // The pixels of every tile within the planes of input and output, -1 where there are none.
  void list_pixels() {
    const int64_t H = a_.src.dim[2], W = a_.src.dim[3], P = a_.dst_diff.dim[2], Q = a_.dst_diff.dim[3];
    patch_pixels_.reserve(tiles_h_ * tiles_w_ * kPositions);
    gradient_pixels_.reserve(tiles_h_ * tiles_w_ * kTile * kTile);
    const auto list = [](std::vector<int32_t>& to, int64_t top, int64_t left, int64_t size, int64_t height,
                         int64_t width) {
      for (int64_t y = top; y < top + size; ++y)
        for (int64_t x = left; x < left + size; ++x)
          to.push_back(y < 0 || y >= height || x < 0 || x >= width ? -1 : int32_t(y * width + x));
    };
    for (int64_t y = 0; y < tiles_h_; ++y)
      for (int64_t x = 0; x < tiles_w_; ++x) {
        list(patch_pixels_, y * kTile - a_.pad_h, x * kTile - a_.pad_w, kPatch, H, W);
        list(gradient_pixels_, y * kTile, x * kTile, kTile, P, Q);
      }
  }

  int64_t chunk_channels(int64_t chunk) const {
    return std::min(group_c_, (chunks_.begin(chunk) + chunks_.length(chunk)) * lanes_) -
           chunks_.begin(chunk) * lanes_;
  }
  // Rows of the input that rows [begin, end) of tiles read.
  int64_t top_of(int64_t begin) const {
    return std::clamp<int64_t>(begin * kTile - a_.pad_h, 0, a_.src.dim[2]);
  }
  int64_t bottom_of(int64_t end) const {
    return std::clamp<int64_t>(end * kTile - a_.pad_h + kPatch - kTile, 0, a_.src.dim[2]);
  }

  int64_t tile_stride_c(int64_t channels) const { return round_up(channels, lanes_); }
  int64_t band_rows() const { return std::max<int64_t>(1, kBandPixels / (kTile * a_.dst_diff.dim[3])); }

  // Of one part and group: [panel][position][channel][output of the panel].
  int64_t sums_size() const { return kPositions * group_c_ * stride_k_; }
  float* sums(int64_t part, int64_t group, const Panel& panel) const {
    return sums_ + (part * a_.group + group) * sums_size() + kPositions * group_c_ * panel.column;
  }
  double* bias(int64_t part, int64_t group) const { return biases_ + (part * a_.group + group) * stride_k_; }

  Scratch scratch(int worker, int64_t channels, int64_t& patch_stride, int64_t& gradient_stride) {
    const int64_t most_width = FloatKernels::kMaxVectors * lanes_, tiles = units_.size * tiles_w_;
    patch_stride = spread(tiles * channels);
    gradient_stride = spread(tiles * most_width);
    const int64_t input_rows = std::min(a_.src.dim[2], units_.size * kTile + kPatch - kTile);
    const int64_t pixels = std::max(input_rows * a_.src.dim[3] * channels,
                                    band_rows() * kTile * a_.dst_diff.dim[3] * most_width);
    const auto padded = [](int64_t floats) { return round_up(floats, 16); };
    const int64_t zeros = padded(std::max(channels, most_width));
    // A row panel may be read beyond the last tile's channels.
    const int64_t patches = kPositions * patch_stride + padded(kernels_.rows);
    float* at = static_cast<float*>(context_.scratch(
        worker, sizeof(float) * (patches + kPositions * gradient_stride + padded(pixels) + 2 * zeros)));
    Scratch s;
    s.patches = at;
    s.gradients = at += patches;
    s.pixels = at += kPositions * gradient_stride;
    s.outside = at += padded(pixels);
    s.diff_sums = at += zeros;
    std::fill(s.outside, s.outside + zeros, 0.0f);
    return s;
  }

  // Channels of one chunk with outputs of panels [begin, end), over the units of a part.
  void run_part(int64_t part, int64_t group, int64_t chunk, int64_t begin, int64_t end, int worker) {
    const int64_t first_c = chunks_.begin(chunk) * lanes_, channels = chunk_channels(chunk);
    int64_t patch_stride, gradient_stride;
    const Scratch s = scratch(worker, tile_stride_c(channels), patch_stride, gradient_stride);
    if (chunk == 0)
      for (int64_t i = begin; i < end; ++i)
        std::fill_n(bias(part, group) + panels_[i].column, panels_[i].have, 0.0);
    for (int64_t i = 0; i < parts_.length(part); ++i) {
      const int64_t unit = parts_.begin(part) + i, first = units_.begin(unit);
      const int64_t last = first + units_.length(unit);
      transform_patches(first, last, group * group_c_ + first_c, channels, s, patch_stride);
      for (int64_t index = begin; index < end; ++index) {
        const Panel& panel = panels_[index];
        const int64_t width = panel.vectors * lanes_;
        transform_gradients(first, last, group * group_k_ + panel.column, panel, s, gradient_stride,
                            chunk == 0 ? bias(part, group) + panel.column : nullptr);
        PanelArguments p{};
        p.depth = units_.length(unit) * tiles_w_;
        p.a_step = tile_stride_c(channels);
        p.b_stride = p.c_stride = p.columns = width;
        p.rows = channels;
        p.accumulate = i > 0;
        for (int64_t position = 0; position < kPositions; ++position) {
          p.a = s.patches + position * patch_stride;
          p.b = s.gradients + position * gradient_stride;
          p.c = sums(part, group, panel) + (position * group_c_ + first_c) * width;
          kernels_.panel[panel.vectors - 1](p);
        }
      }
    }
  }

  // Calls body(image, first row of tiles, end row, tiles before them) for the rows [first, last) of all
  // images.
  template <class Body>
  void for_each_image(int64_t first, int64_t last, int64_t most, const Body& body) const {
    for (int64_t at = first; at < last;) {
      const int64_t n = at / tiles_h_, end = std::min({last, (n + 1) * tiles_h_, at + most});
      body(n, at - n * tiles_h_, end - n * tiles_h_, (at - first) * tiles_w_);
      at = end;
    }
  }

  // Lanes beyond the channels are made 0 before a transpose that leaves them out.
  void turn(const float* planes, int64_t plane_pixels, int64_t channels, int64_t pixels, int64_t stride,
            float* out, float* sums) const {
    if (channels < stride)
      for (int64_t i = 0; i < pixels; ++i)
        std::fill(out + i * stride + channels, out + (i + 1) * stride, 0.0f);
    kernels_.transpose({planes, plane_pixels, channels, pixels, out, stride, sums});
  }

  void transform_patches(int64_t first, int64_t last, int64_t first_c, int64_t channels, const Scratch& s,
                         int64_t position_stride) const {
    const int64_t W = a_.src.dim[3], plane = a_.src.dim[2] * W, stride = tile_stride_c(channels);
    for_each_image(first, last, tiles_h_, [&](int64_t n, int64_t begin, int64_t end, int64_t before) {
      const int64_t top = top_of(begin), bottom = bottom_of(end);
      turn(a_.src.image(n) + first_c * plane + top * W, plane, channels, (bottom - top) * W, stride, s.pixels,
           nullptr);
      WinogradPixels w{};
      w.source = s.pixels;
      w.pixel_stride = stride, w.first = top * W;
      w.outside = s.outside;
      w.pixels = patch_pixels_.data() + begin * tiles_w_ * kPositions;
      w.tiles = (end - begin) * tiles_w_;
      w.channels = stride;
      w.out = s.patches + before * stride;
      w.position_stride = position_stride, w.tile_stride = stride;
      kernels_.winograd_patches(w);
    });
  }

  void transform_gradients(int64_t first, int64_t last, int64_t first_k, const Panel& panel, const Scratch& s,
                           int64_t position_stride, double* bias) const {
    const int64_t P = a_.dst_diff.dim[2], Q = a_.dst_diff.dim[3], width = panel.vectors * lanes_;
    for_each_image(first, last, band_rows(), [&](int64_t n, int64_t begin, int64_t end, int64_t before) {
      const int64_t top = begin * kTile, bottom = std::min(P, end * kTile);
      turn(a_.dst_diff.image(n) + (first_k * P + top) * Q, P * Q, panel.have, (bottom - top) * Q, width,
           s.pixels, s.diff_sums);
      if (bias)
        for (int64_t k = 0; k < panel.have; ++k) bias[k] += s.diff_sums[k];
      WinogradPixels w{};
      w.source = s.pixels;
      w.pixel_stride = width, w.first = top * Q;
      w.outside = s.outside;
      w.pixels = gradient_pixels_.data() + begin * tiles_w_ * kTile * kTile;
      w.tiles = (end - begin) * tiles_w_;
      w.channels = width;
      w.out = s.gradients + before * width;
      w.position_stride = position_stride, w.tile_stride = width;
      kernels_.winograd_gradients(w);
    });
  }

  // Adds the parts' sums, in order, takes them back to kernels and adds these to the gradients.
  void add_up() {
    if (a_.bias_diff)
      for (int64_t k = 0; k < a_.dst_diff.dim[1]; ++k) {
        double sum = 0;
        for (int64_t part = 0; part < parts_.count; ++part) sum += bias(part, k / group_k_)[k % group_k_];
        a_.bias_diff.f32()[k] += float(sum);
      }
    const KernelTransform transform;
    const int64_t panels = int64_t(panels_.size());
    context_.pool.for_range(a_.group * panels * group_c_, 4, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t c = i % group_c_, group = i / group_c_ / panels;
        const Panel& panel = panels_[i / group_c_ % panels];
        // A panel's width is a multiple of four, whatever the instruction set.
        for (int64_t k = 0; k < panel.have;)
          k = panel.vectors * lanes_ - k >= 8 ? add_kernels<8>(transform, group, panel, k, c)
                                              : add_kernels<4>(transform, group, panel, k, c);
      }
    });
  }

  // Of channel c and `Lanes` outputs from the panel's k-th on; returns what comes behind them.
  template <int Lanes>
  int64_t add_kernels(const KernelTransform& transform, int64_t group, const Panel& panel, int64_t k,
                      int64_t c) const {
    const int64_t width = panel.vectors * lanes_, have = std::min<int64_t>(Lanes, panel.have - k);
    double total[kPositions][Lanes] = {}, kernels[9][Lanes];
    for (int64_t part = 0; part < parts_.count; ++part) {
      const float* from = sums(part, group, panel) + c * width + k;
      for (int64_t position = 0; position < kPositions; ++position, from += group_c_ * width)
        for (int l = 0; l < Lanes; ++l) total[position][l] += from[l];
    }
    transform.transposed(total, kernels);
    float* diff = a_.weights_diff.f32() + ((group * group_k_ + panel.column + k) * group_c_ + c) * 9;
    for (int64_t l = 0; l < have; ++l, diff += group_c_ * 9)
      for (int t = 0; t < 9; ++t) diff[t] += float(kernels[t][l]);
    return k + Lanes;
  }

  Context& context_;
  const ConvolutionGradientArguments a_;
  const FloatKernels& kernels_;
  const int64_t lanes_, group_c_, group_k_, stride_k_, tiles_h_, tiles_w_;
  std::vector<Panel> panels_;
  Blocks chunks_, units_, parts_;  // vectors of channels; rows of tiles of all images; units
  std::vector<int32_t> patch_pixels_, gradient_pixels_;
  float* sums_ = nullptr;
  double* biases_ = nullptr;  // [part][group][output]
};

}  // namespace

bool convolution_weights_winograd_supports(const ConvolutionGradientArguments& a) {
  if (!a.winograd || !a.weights_diff) return false;
  if (a.weights.dim[2] != 3 || a.weights.dim[3] != 3) return false;
  if (a.stride_h != 1 || a.stride_w != 1 || a.dilation_h != 1 || a.dilation_w != 1) return false;
  const int64_t P = a.dst_diff.dim[2], Q = a.dst_diff.dim[3];
  const int64_t tiles_h = tiles_along(P), tiles_w = tiles_along(Q), tiles = tiles_h * tiles_w;
  if (tiles > kMostTiles || tiles_w > kMostTilesOfRow) return false;
  // The way back costs about as much as 16 tiles' products, transforms as much as eight channels'; tiles that
  // hang over the edge waste theirs.
  if (a.weights.dim[1] < 8 || a.weights.dim[0] / a.group < 8 || a.src.images() * tiles < 32 ||
      2 * 9 * P * Q < 5 * kPositions * tiles)
    return false;
  return kPositions * a.weights.dim[1] <= kMostPartialSums / (a.weights.dim[0] / a.group + 16);
}

void convolution_weights_winograd(Context& context, const ConvolutionGradientArguments& arguments,
                                  const FloatKernels& kernels) {
  WinogradWeightsGradient(context, arguments, kernels).run();
}

}  // namespace ristretto
