// The part of one image that a block of output pixels reads, copied with its padding and, for strides above
// 1, split into one plane per (row phase, column phase), so that every kernel tap of consecutive output
// pixels of one row reads consecutive floats. The input's trim happens here, once per element and block.
#pragma once

#include <vector>

#include "convolution.h"

namespace ristretto {

// How the taps of a convolution along one axis fall onto the phases of its stride.
struct AxisPhases {
  std::vector<int64_t> phase;   // of tap t: index into `used`
  std::vector<int64_t> offset;  // of tap t: steps within its phase's plane
  std::vector<int64_t> used;    // the phases that occur
  int64_t span = 0;             // the largest offset
  AxisPhases(int64_t taps, int64_t stride, int64_t dilation);
};

class StagedRows {
 public:
  explicit StagedRows(const ConvolutionArguments& arguments);

  // A block of output pixels, in row-major order over P x Q, and the layout of what it stages.
  struct Block {
    int64_t first, count;   // pixels
    int64_t row, column;    // of the output, where the staged planes start
    int64_t rows, columns;  // of a plane
    int64_t plane() const { return rows * columns; }
  };
  Block block(int64_t first, int64_t count) const;
  // Floats that `channels` channels of a block take, the slack of `lanes` that gathers may read beyond
  // included.
  int64_t size(const Block& block, int64_t channels, int lanes) const;
  // Where tap (c, r, s) of output pixel (block.row, block.column) lies, for every k = (c * R + r) * S + s.
  void offsets(const Block& block, int64_t channels, int64_t* out) const;
  // Copies (and trims) channels [channel, channel + channels) of image n. `line` has room for line_size()
  // floats.
  void stage(const Block& block, int64_t n, int64_t channel, int64_t channels, const CpuFeatures& features,
             float* line, float* out) const;
  int64_t line_size() const { return a_.src_trim && a_.stride_w > 1 ? a_.src.dim[3] : 0; }

 private:
  const ConvolutionArguments& a_;
  AxisPhases rows_, columns_;
};

}  // namespace ristretto
