#include "convolution_fixed_tiles.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>

#include "fixed_step.h"

namespace ristretto {

namespace {

constexpr int64_t kStep = 4;                        // bytes of a pixel that one step multiplies
constexpr int64_t kMostScratch = int64_t{1} << 28;  // bytes of one worker
constexpr int64_t kInputBlock = 256 << 10;          // bytes of input that a block of lines reads, about
constexpr int64_t kLeastTask = int64_t{1} << 18;    // multiply-accumulates that are worth a task
constexpr int64_t kChunkElements = 256;             // of 16 bits whose products with bytes fit 32 bits
constexpr int64_t kMostOvershoot = 64;              // bytes read behind a row at most, by its filled steps

int64_t round_up(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

int64_t weight_at(const Tensor& weights, int64_t index) {
  return weights.type == DataType::i16 ? static_cast<const int16_t*>(weights.data)[index]
                                       : static_cast<const int8_t*>(weights.data)[index];
}

// How sums come to be exact, from the fastest to the most general.
enum class Sums : uint8_t {
  with_epilogue,  // 32 bits hold bias and rounding too: the epilogue runs on vectors
  plain,          // 32 bits hold the plain sum
  chunked,        // weights of 8 bits: 32 bits hold a run's sum, 64 bits their total
  split,          // weights of 16 bits: the same, for their high and low bytes apart
};

// What a way of computing a problem is chosen from, besides the weights' values.
struct Problem {
  DataType src_type, weights_type;
  int low, high, src_fractional_length, weights_fractional_length;
  int output_width, output_fractional_length, consumer_width, consumer_fractional_length;
  Rounding rounding;
  bool has_bias, relu, readable_padding, dense;
  int64_t slack, channels, outputs, kernel_h, kernel_w, dilation_w, group;

  explicit Problem(const ConvolutionFixedArguments& a)
      : src_type(a.src.type),
        weights_type(a.weights.type),
        low(a.src.low),
        high(a.src.high),
        src_fractional_length(a.src_fractional_length),
        weights_fractional_length(a.weights_fractional_length),
        output_width(a.output.bit_width),
        output_fractional_length(a.output.fractional_length),
        consumer_width(a.requantises ? a.consumer.bit_width : 0),
        consumer_fractional_length(a.requantises ? a.consumer.fractional_length : 0),
        rounding(a.rounding),
        has_bias(bool(a.bias)),
        relu(a.relu),
        readable_padding(a.pad_h <= a.src.halo_h && a.pad_w <= a.src.halo_w && a.spread_h == 1 &&
                         a.spread_w == 1),
        dense(a.group == 1 && a.src.pixel_stride == a.src.channels),
        slack(std::min<int64_t>(a.src.slack, kMostOvershoot)),
        channels(a.src.channels),
        outputs(a.dst.channels),
        kernel_h(a.weights.dim[2]),
        kernel_w(a.weights.dim[3]),
        dilation_w(a.dilation_w),
        group(a.group) {}
  bool operator==(const Problem&) const = default;
};

// That way. A window is read as runs of contiguous codes, each padded to whole steps by weights of 0.
struct Recipe {
  bool words = false;       // codes go in as 16 bits
  bool staged = false;      // the input is copied, with its padding, before it is read
  bool whole_rows = false;  // a run spans a row of the window, not one tap
  Sums sums = Sums::with_epilogue;
  // Of sums with_epilogue: the constant of the rounding stands in what they start from, and the left shift
  // of negative fractional lengths is taken off the right shift: what is left of the output's step is a
  // shift.
  bool folded = false;
  int zero = 0;              // what the kernel reads for code 0
  int64_t pieces = 1;        // that a row or tap is cut into
  int64_t run_elements = 0;  // codes of a run, without the filling of its last step
  int64_t run_steps = 0;
  int64_t runs_per_row = 0;
  int64_t runs = 0;

  int64_t code_bytes() const { return words ? 2 : 1; }
};

// Whether byte products are exact: always with a wide dot product, else as far as neighbours' magnitudes
// allow.
bool pairs_fit(const ConvolutionFixedArguments& a, int64_t largest_src, const FixedKernels& kernels) {
  if (kernels.most_pair == INT_MAX) return true;
  if (largest_src * 256 <= kernels.most_pair) return true;
  if (a.weights.type != DataType::i8) return false;
  // Neighbours in a step differ with the run's layout; any two weights of a filter bound them all.
  const int8_t* w = static_cast<const int8_t*>(a.weights.data);
  int largest = 0;
  for (int64_t i = 0; i < a.weights.count(); ++i) largest = std::max(largest, std::abs(int(w[i])));
  return largest_src * 2 * largest <= kernels.most_pair;
}

// Cuts a row of the window (or a tap) into runs; returns the bytes that are read behind its end.
int64_t cut_runs(const ConvolutionFixedArguments& a, Recipe& r) {
  const int64_t S = a.weights.dim[3], group_c = a.src.channels / a.group;
  const int64_t step_elements = kStep / r.code_bytes();
  const int64_t elements = r.whole_rows ? S * group_c : group_c;
  // Few enough pieces that their filling stays within kMostOvershoot.
  r.pieces = r.sums >= Sums::chunked ? (elements + kChunkElements - 1) / kChunkElements : 1;
  r.run_elements = (elements + r.pieces - 1) / r.pieces;
  if (r.pieces > 1) r.run_elements = round_up(r.run_elements, step_elements);
  r.pieces = (elements + r.run_elements - 1) / r.run_elements;
  r.run_steps = (r.run_elements + step_elements - 1) / step_elements;
  r.runs_per_row = r.pieces * (r.whole_rows ? 1 : S);
  r.runs = a.weights.dim[2] * r.runs_per_row;
  return r.pieces * r.run_steps * kStep - elements * r.code_bytes();
}

// floor((s * 2^left + b) / 2^right) = floor((s + floor(b / 2^left)) / 2^(right - left)). Behind a ReLU every
// rule but half to even is such a floor, b being the bias and one constant.
bool folds_rounding(const FixedEpilogue& e) {
  const std::optional<FixedStep> step = make_fixed_step(e.output);
  return e.relu && step && step->mask <= 0 && e.sum_shift <= step->right;
}

Recipe make_recipe(const ConvolutionFixedArguments& a, const Problem& problem, const FixedKernels& kernels) {
  Recipe r;
  const bool byte_codes = a.src.type != DataType::i16, byte_weights = a.weights.type == DataType::i8;
  // Kernels with unsigned bytes read codes that may be negative as code + 128.
  const bool offset = a.src.type == DataType::u8 || (a.src.type == DataType::i8 && a.src.low < 0);
  const int read_zero = offset && !kernels.signed_bytes ? 128 : 0;
  r.words = !(byte_codes && byte_weights && pairs_fit(a, a.src.high + read_zero, kernels));
  r.zero = r.words ? 0 : read_zero;

  const FixedBound bound = fixed_bound(a);
  const FixedEpilogue e = epilogue_of(a);
  r.folded = folds_rounding(e);
  if (bound.acc_fits_32() && make_fixed_step(e.output) &&
      (!e.has_consumer || make_fixed_code_step(e.consumer)))
    r.sums = Sums::with_epilogue;
  else if (bound.sum_fits_32())
    r.sums = Sums::plain;
  else
    r.sums = byte_weights ? Sums::chunked : Sums::split;

  // Stored as it is read, or copied first.
  r.staged = (byte_codes && (r.words || a.src.zero() != r.zero)) || !problem.readable_padding;
  r.whole_rows = a.dilation_w == 1 && (r.staged || problem.dense);
  const int64_t overshoot = cut_runs(a, r);
  if (overshoot > (r.staged ? kMostOvershoot : problem.slack)) {
    r.staged = true;
    r.whole_rows = a.dilation_w == 1;
    cut_runs(a, r);
  }
  return r;
}

// Output channels of a group in panels of one to three vectors.
struct Panels {
  struct Panel {
    int64_t first;  // vector
    int vectors;
  };
  std::vector<Panel> list;

  Panels(int64_t vectors, bool split) {
    int64_t first = 0;
    // Three vectors leave registers for fewer pixels, so they only even out an odd number.
    if (!split && vectors % 2 == 1 && vectors >= 3) list.push_back({0, 3}), first = 3;
    for (; first < vectors; first += 2) list.push_back({first, int(std::min<int64_t>(2, vectors - first))});
  }
};

// What stands before packed weights.
struct PackedHeader {
  Problem problem;
  Recipe recipe;
};

// Weights as a kernel reads them.
struct Packed {
  int32_t* init;  // [group][vectors * lanes]: what sums start from
  int32_t* bias;  // the same: added to the sums after their left shift, where they have one
  char* weights;  // [group][panel]
  int64_t group_init, group_weights;
};

class FixedTiles {
 public:
  FixedTiles(Context& context, const ConvolutionFixedArguments& arguments, const FixedKernels& kernels)
      : context_(context),
        a_(arguments),
        kernels_(kernels),
        problem_(a_),
        recipe_(recipe()),
        epilogue_(epilogue_of(a_)) {
    group_c_ = a_.src.channels / a_.group;
    group_k_ = a_.dst.channels / a_.group;
    // Split weights alternate: a vector of high bytes, one of low bytes.
    vectors_ = (group_k_ + kernels.lanes - 1) / kernels.lanes * (recipe_.sums == Sums::split ? 2 : 1);
    panels_ = Panels(vectors_, recipe_.sums == Sums::split).list;
    pack();
    locate();
    if (recipe_.sums == Sums::with_epilogue) prepare_store();
    divide();
  }

  void run() {
    const int64_t per_image = line_blocks_ * panel_blocks_;
    context_.pool.run(images_ * a_.group * per_image, [&](int64_t task, int worker) {
      const int64_t image = task / per_image / a_.group, group = task / per_image % a_.group;
      const int64_t block = task % per_image;
      run_block(image, group, block / panel_blocks_, block % panel_blocks_, worker);
    });
  }

 private:
  struct Line {
    int64_t src;  // bytes from the image's (staged block's) first window
    char* dst;
    int64_t count;
  };
  struct Range {
    int64_t begin, end;
  };
  static Range part(int64_t count, int64_t parts, int64_t index) {
    return {count * index / parts, count * (index + 1) / parts};
  }

  void prepare_store() {
    store_.relu = epilogue_.relu;
    store_.output = *make_fixed_step(epilogue_.output);
    if (recipe_.folded) {
      store_.output.add = store_.output.mask = 0;
      store_.output.right -= epilogue_.sum_shift;
    } else {
      store_.sum_left = epilogue_.sum_shift;
    }
    store_.has_consumer = epilogue_.has_consumer;
    if (epilogue_.has_consumer) store_.consumer = *make_fixed_code_step(epilogue_.consumer);
    store_.zero = a_.dst.zero();
    store_.type = a_.dst.type;
    if (recipe_.folded) quick_ = make_quick_store(store_);
  }

  // Looking at all weights takes longer than many a layer: what it showed is kept with the packed ones.
  Recipe recipe() const {
    if (const PackedHeader* header = packed_header()) return header->recipe;
    return make_recipe(a_, problem_, kernels_);
  }

  const PackedHeader* packed_header() const {
    const PackedWeights* kept = a_.packed;
    if (!kept || kept->packed_by != &kernels_ || kept->version != a_.weights_version) return nullptr;
    const auto* header = static_cast<const PackedHeader*>(kept->data.data());
    return header->problem == problem_ ? header : nullptr;
  }

  // ---- weights ----

  void pack() {
    const int64_t lanes = kernels_.lanes, header = round_up(sizeof(PackedHeader), 64);
    panel_bytes_ = recipe_.runs * recipe_.run_steps * lanes * kStep;  // of one vector
    packed_.group_init = vectors_ * lanes;
    packed_.group_weights = vectors_ * panel_bytes_;
    const int64_t init_bytes = round_up(a_.group * packed_.group_init * int64_t(sizeof(int32_t)), 64);
    const int64_t bytes = header + 2 * init_bytes + a_.group * packed_.group_weights;
    PackedWeights* kept = a_.packed;
    const bool ready = packed_header() != nullptr;
    if (kept && !ready) {
      kept->version = -1;  // until the packing has succeeded
      if (int64_t(kept->data.size()) != bytes) kept->data = AlignedBuffer(bytes);
    }
    char* at = static_cast<char*>(kept ? kept->data.data() : context_.shared_scratch(bytes));
    packed_.init = reinterpret_cast<int32_t*>(at + header);
    packed_.bias = reinterpret_cast<int32_t*>(at + header + init_bytes);
    packed_.weights = at + header + 2 * init_bytes;
    if (ready) return;
    std::memset(at, 0, bytes);
    new (at) PackedHeader{problem_, recipe_};
    context_.pool.run(a_.group * vectors_,
                      [&](int64_t task, int) { pack_vector(task / vectors_, task % vectors_); });
    if (kept) {
      kept->packed_by = &kernels_;
      kept->version = a_.weights_version;
    }
  }

  void pack_vector(int64_t group, int64_t vector) const {
    const int64_t lanes = kernels_.lanes, R = a_.weights.dim[2], S = a_.weights.dim[3];
    const bool split = recipe_.sums == Sums::split;
    const auto panel = std::find_if(panels_.begin(), panels_.end(),
                                    [&](const Panels::Panel& p) { return vector < p.first + p.vectors; });
    char* to = packed_.weights + group * packed_.group_weights + panel->first * panel_bytes_;
    const int64_t step_elements = kStep / recipe_.code_bytes();
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const int64_t k = (split ? vector / 2 : vector) * lanes + lane;
      if (k >= group_k_) break;
      const int64_t channel = group * group_k_ + k;
      uint32_t sum = 0;  // modulo 2^32, as the kernels' sums
      for (int64_t r = 0; r < R; ++r)
        for (int64_t s = 0; s < S; ++s)
          for (int64_t c = 0; c < group_c_; ++c) {
            int64_t w = weight_at(a_.weights, ((channel * group_c_ + c) * R + r) * S + s);
            sum += uint32_t(w);
            if (split) {
              const int64_t low = ((w + 128) & 255) - 128;
              w = vector % 2 == 0 ? (w - low) / 256 : low;
            }
            const int64_t tap = recipe_.whole_rows ? 0 : s,
                          in_tap = recipe_.whole_rows ? s * group_c_ + c : c;
            const int64_t run =
                r * recipe_.runs_per_row + tap * recipe_.pieces + in_tap / recipe_.run_elements;
            const int64_t element = in_tap % recipe_.run_elements;
            const int64_t step = run * recipe_.run_steps + element / step_elements;
            char* place = to + ((step * panel->vectors + vector - panel->first) * lanes + lane) * kStep +
                          element % step_elements * recipe_.code_bytes();
            if (recipe_.words) {
              const int16_t word = int16_t(w);
              std::memcpy(place, &word, 2);
            } else {
              *place = char(w);
            }
          }
      const int64_t place = group * packed_.group_init + vector * lanes + lane;
      const int32_t bias = a_.bias ? static_cast<const int32_t*>(a_.bias.data)[channel] : 0;
      uint32_t start = uint32_t(0) - uint32_t(recipe_.zero) * sum;
      if (recipe_.sums == Sums::with_epilogue) {
        const int64_t shifted = bias == 0 ? 0 : bias * (int64_t{1} << epilogue_.bias_shift);
        if (recipe_.folded)
          start += uint32_t((shifted + make_fixed_step(epilogue_.output)->add) >> epilogue_.sum_shift);
        else if (epilogue_.sum_shift == 0)
          start += uint32_t(shifted);
      }
      packed_.init[place] = int32_t(start);
      packed_.bias[place] = bias;
    }
  }

  // ---- where windows and lines are ----

  void locate() {
    const int64_t bytes = recipe_.code_bytes(), S = a_.weights.dim[3];
    // A product with one output pixel per image runs along the images instead.
    along_images_ = !recipe_.staged && a_.dst.height * a_.dst.width == 1 && a_.dst.images > 1;
    // A window without padding, stride or gaps may ignore where lines end.
    flat_ = !along_images_ && !recipe_.staged && a_.weights.dim[2] == 1 && S == 1 && a_.stride_h == 1 &&
            a_.stride_w == 1 && a_.pad_h == 0 && a_.pad_w == 0 &&
            a_.src.row_stride == a_.src.width * a_.src.pixel_stride &&
            a_.dst.row_stride == a_.dst.width * a_.dst.pixel_stride;
    if (recipe_.staged) {
      stage_pixel_ = group_c_;
      stage_columns_ = (a_.dst.width - 1) * a_.stride_w + (S - 1) * a_.dilation_w + 1;
      pixel_bytes_ = a_.stride_w * stage_pixel_ * bytes;
      row_bytes_ = stage_columns_ * stage_pixel_ * bytes;
    } else {
      stage_pixel_ = a_.src.pixel_stride;
      pixel_bytes_ = (along_images_ ? a_.src.image_stride : a_.stride_w * stage_pixel_) * bytes;
      row_bytes_ = a_.src.row_stride * bytes;
    }
    for (int64_t r = 0; r < a_.weights.dim[2]; ++r)
      for (int64_t i = 0; i < recipe_.runs_per_row; ++i)
        runs_.push_back(r * a_.dilation_h * row_bytes_ + (i / recipe_.pieces * a_.dilation_w * stage_pixel_ +
                                                          i % recipe_.pieces * recipe_.run_elements) *
                                                             bytes);
    images_ = along_images_ ? 1 : a_.dst.images;
    line_pixels_ = along_images_ ? a_.dst.images : flat_ ? kFlatLine : a_.dst.width;
    const int64_t pixels = a_.dst.height * a_.dst.width;
    lines_ = along_images_ ? 1 : flat_ ? (pixels + kFlatLine - 1) / kFlatLine : a_.dst.height;
    dst_pixel_bytes_ = (along_images_ ? a_.dst.image_stride : a_.dst.pixel_stride) * a_.dst.element_bytes();
  }

  // Cuts an image's work into tasks: blocks of lines whose input stays in the cache, and, until there are
  // enough tasks for the threads, more of them; blocks of panels too where there are too few lines.
  void divide() {
    const int64_t input = a_.src.height * a_.src.width * a_.src.channels * recipe_.code_bytes();
    line_blocks_ = std::clamp<int64_t>(input / a_.group / kInputBlock, 1, lines_);
    const int64_t macs = a_.dst.height * a_.dst.width * a_.dst.channels * group_c_ * a_.weights.count(2);
    const int threads = context_.pool.threads();
    if (threads == 1) return;
    // A multiple of the threads: each has the same part of every layer's lines in its cache.
    const int64_t worthwhile = images_ * macs / kLeastTask / threads * threads;
    const int64_t wanted = std::clamp<int64_t>(worthwhile, 1, 4 * threads), sets = images_ * a_.group;
    const int64_t need = (wanted + sets - 1) / sets;
    line_blocks_ = std::min(lines_, std::max(line_blocks_, need));
    panel_blocks_ = std::clamp<int64_t>(need / line_blocks_, 1, panels_.size());
  }

  Line line(int64_t image, int64_t group, int64_t index) const {
    const int64_t bytes = a_.dst.element_bytes();
    char* base = a_.dst.pixel(image, 0, 0) + group * group_k_ * bytes;
    if (flat_) {
      const int64_t first = index * kFlatLine, pixels = a_.dst.height * a_.dst.width;
      return {first * pixel_bytes_, base + first * dst_pixel_bytes_, std::min(kFlatLine, pixels - first)};
    }
    return {index * a_.stride_h * row_bytes_, base + index * a_.dst.row_stride * bytes, line_pixels_};
  }

  // ---- a block of lines and panels ----

  struct Scratch {
    char* staged;
    int32_t* sums;    // of one tile
    int64_t* totals;  // of one tile, where 32 bits are too few
  };

  Scratch scratch(int worker, int64_t lines) {
    const int64_t tile = FixedKernels::kMostPixels * FixedKernels::kMostVectors * kernels_.lanes;
    const int64_t sums = round_up(tile * int64_t(sizeof(int32_t)), 64);
    const int64_t totals =
        recipe_.sums == Sums::with_epilogue ? 0 : round_up(tile * int64_t(sizeof(int64_t)), 64);
    char* at = static_cast<char*>(context_.scratch(worker, sums + totals + staged_bytes(lines)));
    return {at + sums + totals, reinterpret_cast<int32_t*>(at), reinterpret_cast<int64_t*>(at + sums)};
  }

  int64_t staged_rows(int64_t lines) const {
    return (lines - 1) * a_.stride_h + (a_.weights.dim[2] - 1) * a_.dilation_h + 1;
  }
  int64_t staged_bytes(int64_t lines) const {
    return recipe_.staged ? round_up(staged_rows(lines) * row_bytes_ + kMostOvershoot, 64) : 0;
  }

  // Copies the rows that lines [begin, end) read, with padding, as the kernel reads codes.
  void stage(int64_t image, int64_t group, Range lines, char* to) const {
    const int64_t first = lines.begin * a_.stride_h - a_.pad_h;
    const auto copy = [&](auto* out, auto read, int zero) {
      for (int64_t row = 0; row < staged_rows(lines.end - lines.begin); ++row) {
        const int64_t y = first + row, h = y / a_.spread_h;
        const bool inside_h = y >= 0 && y % a_.spread_h == 0 && h < a_.src.height;
        for (int64_t column = 0; column < stage_columns_; ++column, out += group_c_) {
          const int64_t x = column - a_.pad_w, w = x / a_.spread_w;
          if (inside_h && x >= 0 && x % a_.spread_w == 0 && w < a_.src.width) {
            const char* from = a_.src.pixel(image, h, w) + group * group_c_ * a_.src.element_bytes();
            for (int64_t c = 0; c < group_c_; ++c) read(from, c, out[c]);
          } else {
            std::fill_n(out, group_c_, zero);
          }
        }
      }
    };
    const int flip = a_.src.type == DataType::u8 ? 128 : 0;
    if (recipe_.words && a_.src.type == DataType::i16) {
      copy(
          reinterpret_cast<int16_t*>(to),
          [](const char* from, int64_t c, int16_t& out) { std::memcpy(&out, from + 2 * c, 2); }, 0);
    } else if (recipe_.words) {
      copy(
          reinterpret_cast<int16_t*>(to),
          [flip](const char* from, int64_t c, int16_t& out) {
            out = int16_t(flip ? int(uint8_t(from[c])) - flip : int(int8_t(from[c])));
          },
          0);
    } else {
      const uint8_t mask = a_.src.zero() != recipe_.zero ? 0x80 : 0;
      copy(
          reinterpret_cast<uint8_t*>(to),
          [mask](const char* from, int64_t c, uint8_t& out) { out = uint8_t(from[c]) ^ mask; }, recipe_.zero);
    }
  }

  void run_block(int64_t image, int64_t group, int64_t line_block, int64_t panel_block, int worker) {
    const Range lines = part(lines_, line_blocks_, line_block);
    const Range panels = part(panels_.size(), panel_blocks_, panel_block);
    const Scratch s = scratch(worker, lines.end - lines.begin);
    const char* src;
    if (recipe_.staged) {
      stage(image, group, lines, s.staged);
      src = s.staged - lines.begin * a_.stride_h * row_bytes_;
    } else {
      src = a_.src.pixel(image, -a_.pad_h, -a_.pad_w) + group * group_c_ * recipe_.code_bytes();
    }
    for (int64_t p = panels.begin; p < panels.end; ++p)
      for (int64_t l = lines.begin; l < lines.end; ++l)
        run_line(src, line(image, group, l), group, panels_[p], s);
    if (group == 0 && panel_block == 0) write_halo(image, lines);
  }

  void write_halo(int64_t image, Range lines) const {
    if (a_.dst.halo_h == 0 && a_.dst.halo_w == 0) return;
    if (along_images_ || flat_) {
      // Lines are no rows here: the last block writes the halo of all of them.
      if (lines.end < lines_) return;
      const Range images = along_images_ ? Range{0, a_.dst.images} : Range{image, image + 1};
      for (int64_t n = images.begin; n < images.end; ++n) fill_halo(a_.dst, n, 0, a_.dst.height);
    } else {
      fill_halo(a_.dst, image, lines.begin, lines.end);
    }
  }

  // One line of pixels times one panel, in tiles of nearly equal width.
  void run_line(const char* src, const Line& line, int64_t group, const Panels::Panel& panel,
                const Scratch& s) {
    const int most = kernels_.pixels[panel.vectors - 1];
    const int64_t tiles = (line.count + most - 1) / most;
    const auto& table = (recipe_.words ? kernels_.words : kernels_.bytes)[panel.vectors - 1];
    const int64_t lanes = kernels_.lanes, width = panel.vectors * lanes;
    FixedTile t;
    t.pixel_bytes = pixel_bytes_;
    t.runs = runs_.data();
    t.run_count = recipe_.runs;
    t.run_steps = recipe_.run_steps;
    t.weights = packed_.weights + group * packed_.group_weights + panel.first * panel_bytes_;
    t.run_weights = recipe_.run_steps * width * kStep;
    t.init = packed_.init + group * packed_.group_init + panel.first * lanes;
    t.quick = nullptr;
    t.dst_pixel_bytes = dst_pixel_bytes_;
    t.sums = s.sums;
    const int32_t* bias = packed_.bias + group * packed_.group_init + panel.first * lanes;
    const int64_t step = line.count / tiles, longer = line.count % tiles;
    for (int64_t i = 0, pixel = 0; i < tiles; ++i) {
      const int64_t pixels = step + (i < longer ? 1 : 0);
      t.src = src + line.src + pixel * pixel_bytes_;
      char* dst = line.dst + pixel * dst_pixel_bytes_;
      pixel += pixels;
      const FixedKernels::Tile tile = table[pixels - 1];
      if (recipe_.sums == Sums::with_epilogue) {
        const int64_t first = panel.first * lanes;
        if (quick_ && first + width <= group_k_) {
          t.quick = &*quick_;
          t.dst = dst + first;
          tile(t);
          continue;
        }
        tile(t);
        kernels_.store(s.sums, pixels, width, bias, store_, dst + first * a_.dst.element_bytes(),
                       dst_pixel_bytes_, std::min(width, group_k_ - first));
      } else {
        sum_runs(t, tile, pixels, width, s.totals);
        store_totals(s.totals, pixels, panel, group, dst);
      }
    }
  }

  // The plain sums in 64 bits.
  void sum_runs(FixedTile t, FixedKernels::Tile tile, int64_t pixels, int64_t width, int64_t* totals) const {
    if (recipe_.sums == Sums::plain) {
      tile(t);
      std::copy_n(t.sums, pixels * width, totals);
      return;
    }
    static constexpr int32_t kZeros[FixedKernels::kMostVectors * 16] = {};
    std::fill_n(totals, pixels * width, 0);
    t.run_count = 1;
    for (int64_t run = 0; run < recipe_.runs; ++run) {
      tile(t);
      for (int64_t i = 0; i < pixels * width; ++i) totals[i] += t.sums[i];
      t.init = kZeros;
      t.weights += t.run_weights;
      ++t.runs;
    }
  }

  void store_totals(const int64_t* totals, int64_t pixels, const Panels::Panel& panel, int64_t group,
                    char* dst) const {
    const int64_t lanes = kernels_.lanes, width = panel.vectors * lanes, bytes = a_.dst.element_bytes();
    const bool split = recipe_.sums == Sums::split;
    const int64_t first = (split ? panel.first / 2 : panel.first) * lanes;
    const int64_t channels = std::min(split ? lanes : width, group_k_ - first);
    const int32_t* bias = a_.bias ? static_cast<const int32_t*>(a_.bias.data) + group * group_k_ : nullptr;
    for (int64_t p = 0; p < pixels; ++p, totals += width, dst += dst_pixel_bytes_)
      for (int64_t k = 0; k < channels; ++k) {
        const int64_t sum = split ? totals[k] * 256 + totals[lanes + k] : totals[k];
        const int64_t code = apply_epilogue(sum, bias ? bias[first + k] : 0, epilogue_);
        if (bytes == 2) {
          const int16_t word = int16_t(code);
          std::memcpy(dst + 2 * (first + k), &word, 2);
        } else {
          dst[first + k] = char(code + a_.dst.zero());
        }
      }
  }

  static constexpr int64_t kFlatLine = 4 * FixedKernels::kMostPixels;

  Context& context_;
  const ConvolutionFixedArguments& a_;
  const FixedKernels& kernels_;
  bool along_images_ = false, flat_ = false;
  const Problem problem_;
  const Recipe recipe_;
  const FixedEpilogue epilogue_;
  FixedStore store_;
  std::optional<QuickStore> quick_;
  int64_t group_c_, group_k_, vectors_, panel_bytes_;
  std::vector<Panels::Panel> panels_;
  Packed packed_;
  std::vector<int64_t> runs_;  // byte offsets from a window's start
  int64_t stage_pixel_ = 0, stage_columns_ = 0;
  int64_t pixel_bytes_, row_bytes_, dst_pixel_bytes_;
  int64_t images_, lines_, line_pixels_;
  int64_t line_blocks_ = 1, panel_blocks_ = 1;
};

}  // namespace

bool convolution_fixed_tiles_supports(const ConvolutionFixedArguments& a, const FixedKernels& kernels) {
  const int64_t group_c = a.src.channels / a.group, depth = group_c * a.weights.count(2);
  const int64_t columns = (a.dst.width - 1) * a.stride_w + (a.weights.dim[3] - 1) * a.dilation_w + 1;
  const int64_t rows = (a.dst.height - 1) * a.stride_h + (a.weights.dim[2] - 1) * a.dilation_h + 1;
  return rows * columns * group_c * 2 <= kMostScratch && depth * 2 * kernels.lanes <= kMostScratch;
}

void convolution_fixed_tiles(Context& context, const ConvolutionFixedArguments& arguments,
                             const FixedKernels& kernels) {
  FixedTiles(context, arguments, kernels).run();
}

}  // namespace ristretto
