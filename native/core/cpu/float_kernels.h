// The inner loops of float32 matrix products and convolutions, one table per instruction set. Everything
// above them (blocking, packing of weights, threads) is written once and reads the table.
#pragma once

#include <cstdint>

#include "../format/trim_format.h"
#include "features.h"

namespace ristretto {

// One column panel of C (+)= A * B: B is `vectors` registers wide, A comes as packed row panels
// [panel][depth][FloatKernels::rows], rows beyond `rows` zero, or as [depth][a_step], readable over whole row
// panels.
struct PanelArguments {
  int64_t depth;
  const float* a;
  int64_t a_step;    // 0: packed
  const float* b;    // row k at b + k * b_stride, readable over the whole panel's width
  int64_t b_stride;  // in floats
  float* c;          // row i at c + i * c_stride
  int64_t c_stride;
  int64_t rows;       // of C, any number
  int64_t columns;    // of C that are written, at most the panel's width
  const float* bias;  // added last, one per row of C, or null
  bool accumulate;    // onto what C holds
  bool relu;          // after all that stands above
  // Last, a trim that fuses_trim() allows, or null. A NaN sets *nan, which then is not null.
  const TrimFormat* trim;
  bool* nan;
};

// One vector moved per depth step: from source + offset[k] + src to panel + k * width + dst. Moves happen in
// order, and each may write beyond what it is meant for, into what a later one writes.
struct VectorMove {
  int64_t src;
  int64_t dst;
};

struct GatherArguments {
  const float* source;
  const int64_t* offsets;  // one per depth step
  int64_t depth;
  const VectorMove* moves;
  int moves_count;
  float* panel;   // has slack of one vector at its end, as the source has
  int64_t width;  // floats per depth step
};

// One column panel of those that a matrix is split into.
struct PanelSpan {
  int64_t column;  // of the matrix
  int vectors;
  float* panel;  // [depth][vectors * lanes]
};

// A matrix split into column panels, row by row: the rows lie far apart, so each is read in one go.
struct SplitArguments {
  const float* source;
  int64_t row_stride, depth;
  const PanelSpan* spans;
  int spans_count;
  // The last span's last vector may be read whole in the first `whole_rows` rows, whose ends lie far enough
  // from the matrix's; in the others it has `last_lanes` floats, and what follows them becomes 0.
  int64_t whole_rows;
  int last_lanes;
  // A trim of what is read that fuses_trim() allows, or null. A NaN sets *nan, which then is not null.
  const TrimFormat* trim;
  bool* nan;
};

// out[j * out_stride + i] = source[i * source_stride + j]: channel planes into pixels.
struct TransposeArguments {
  const float* source;
  int64_t source_stride;
  int64_t rows, columns;  // of the source
  float* out;
  int64_t out_stride;
  float* sums;  // [rows], overwritten by the sum of each row; or null
};

// Lines of one output channel that reads one input channel: dst[p][q] = sum over t of weights[t] *
// source[offsets[t] + p * source_stride + q].
struct DepthwiseArguments {
  const float* source;  // has slack of one vector at its end
  int64_t source_stride;
  const int64_t* offsets;
  const float* weights;
  int64_t taps;
  float* dst;  // lines follow each other
  int64_t lines, columns;
  float bias;
  bool relu;
};

// Winograd F(4x4, 3x3): a tile is 4 x 4 outputs made from 6 x 6 inputs; position p = 6 * row + column of the
// transformed tile. Vectors run over tiles.
struct WinogradPoints {
  // Their powers and products are exact in float32. The usual 1 and 2 round four times worse
  // (docs/kernels.md).
  static constexpr float kNear = 0.625f, kFar = 1.5f;
};

struct WinogradInput {
  const float* source;  // one channel plane after the other
  int64_t channel_stride, row_stride, channels;
  const int64_t*
      offsets;  // [lanes] of each tile's first input within a plane; two floats beyond each row are read
  float* out;   // position p of channel c at out + p * out_position_stride + c * out_channel_stride
  int64_t out_position_stride, out_channel_stride;
};

// Where one tile goes. A tile that crosses the image's edge is stored whole to a spare place (`out`, with
// out_row_stride 0), from where its edge_height x edge_width inside part is copied to `edge`.
struct WinogradLane {
  float* out;
  int64_t out_row_stride;  // from one row (channel) to the next
  float* edge;
  int edge_height, edge_width;  // 0 where the tile is whole
};

struct WinogradOutput {
  const float* products;  // position p of row k at products + p * position_stride + k * row_stride
  int64_t position_stride, row_stride, rows;
  int64_t first_row;  // of the lanes' rows, where row 0 of the products belongs
  const float* bias;  // [rows], or null
  bool relu;
  const WinogradLane* lanes;
  int64_t line_stride;      // from one output line to the next, in spare places too
  int64_t edge_row_stride;  // from one row (channel) to the next behind `edge`
};

// Transforms of tiles that lie as pixels, vectors over channels: `winograd_patches` makes B^T d B of 6 x 6
// inputs, `winograd_gradients` A d A^T of 4 x 4 gradients of outputs, which A^T and A take back to where they
// came from.
struct WinogradPixels {
  const float* source;  // pixel `first` of a plane; its channels lie side by side
  int64_t pixel_stride, first;
  const float* outside;     // zeros, as many as there are channels
  const int32_t* pixels;    // [tiles][36 or 16], within the plane; negative: outside
  int64_t tiles, channels;  // the latter a multiple of the vector's lanes
  float* out;               // position p of tile t at out + p * position_stride + t * tile_stride
  int64_t position_stride, tile_stride;
};

struct FloatKernels {
  static constexpr int kMaxVectors = 3;

  const char* name;
  int lanes;                   // floats in a register
  int rows;                    // rows of C that one register tile covers
  int64_t l1_bytes, l2_bytes;  // what the blocking aims at
  bool (*available)(const CpuFeatures& features);
  // Whether `panel` can trim to this format while it stores, and `split` while it reads.
  bool (*fuses_trim)(const TrimFormat& format);
  void (*panel[kMaxVectors])(const PanelArguments& arguments);  // [vectors - 1]
  void (*gather)(const GatherArguments& arguments);
  void (*split)(const SplitArguments& arguments);
  void (*transpose)(const TransposeArguments& arguments);
  void (*depthwise)(const DepthwiseArguments& arguments);
  void (*winograd_input)(const WinogradInput& arguments);
  void (*winograd_output)(const WinogradOutput& arguments);
  void (*winograd_patches)(const WinogradPixels& arguments);
  void (*winograd_gradients)(const WinogradPixels& arguments);
};

// For the tables whose instruction set has no trim in vectors: fuses_trim() says no, so it is never called.
struct NoVectorTrim {
  static constexpr bool available = false;
  static bool rows(float*, int64_t, int64_t, int64_t, const TrimFormat&) { return false; }
};

// Null where this build has no such code.
const FloatKernels* float_kernels_avx512();
const FloatKernels* float_kernels_avx2();
const FloatKernels* float_kernels_portable();
// 16 lanes made of two AVX2 registers: lets a machine without AVX-512 test what depends on the vector's
// width.
const FloatKernels* float_kernels_paired_avx2();

// The widest available table.
const FloatKernels& select_float_kernels(const CpuFeatures& features);

}  // namespace ristretto
