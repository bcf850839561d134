#include "staged_rows.h"

#include <algorithm>
#include <cstring>

#include "../trim/trim.h"

namespace ristretto {

AxisPhases::AxisPhases(int64_t taps, int64_t stride, int64_t dilation) {
  for (int64_t t = 0; t < taps; ++t) {
    const int64_t at = t * dilation % stride;
    const auto found = std::find(used.begin(), used.end(), at);
    phase.push_back(found - used.begin());
    if (found == used.end()) used.push_back(at);
    offset.push_back(t * dilation / stride);
    span = std::max(span, offset.back());
  }
}

StagedRows::StagedRows(const ConvolutionArguments& a)
    : a_(a),
      rows_(a.weights.dim[2], a.stride_h, a.dilation_h),
      columns_(a.weights.dim[3], a.stride_w, a.dilation_w) {}

StagedRows::Block StagedRows::block(int64_t first, int64_t count) const {
  const int64_t Q = a_.dst.dim[3], last = first + count - 1;
  Block b{first, count, first / Q, 0, last / Q - first / Q + 1 + rows_.span, 0};
  const bool one_row = first / Q == last / Q;
  b.column = one_row ? first % Q : 0;
  b.columns = (one_row ? count : Q) + columns_.span;
  return b;
}

int64_t StagedRows::size(const Block& block, int64_t channels, int lanes) const {
  return channels * int64_t(rows_.used.size() * columns_.used.size()) * block.plane() + lanes;
}

void StagedRows::offsets(const Block& block, int64_t channels, int64_t* out) const {
  const int64_t row_phases = rows_.used.size(), column_phases = columns_.used.size();
  for (int64_t c = 0; c < channels; ++c)
    for (size_t r = 0; r < rows_.phase.size(); ++r)
      for (size_t s = 0; s < columns_.phase.size(); ++s)
        *out++ = ((c * row_phases + rows_.phase[r]) * column_phases + columns_.phase[s]) * block.plane() +
                 rows_.offset[r] * block.columns + columns_.offset[s];
}

namespace {

template <int64_t Stride>
void copy_strided(const float* from, int64_t stride, float* to, int64_t count) {
  const int64_t step = Stride ? Stride : stride;
  for (int64_t j = 0; j < count; ++j) to[j] = from[j * step];
}

}  // namespace

void StagedRows::stage(const Block& block, int64_t n, int64_t channel, int64_t channels,
                       const CpuFeatures& features, float* line, float* out) const {
  const int64_t C = a_.src.dim[1], H = a_.src.dim[2], W = a_.src.dim[3];
  const int64_t stride_h = a_.stride_h, stride_w = a_.stride_w;
  RandomStream random = a_.src_random;
  const auto trim = [&](const float* from, float* to, int64_t count, int64_t element) {
    random.first_element = a_.src_random.first_element + n * C * H * W + element;
    require(trim_span(from, to, count, a_.src_trim, random, features), "NaN in the layer's input");
  };
  // Per column phase: the steps [begin, end) of a plane's row that lie inside the image.
  const auto inside = [&](int64_t phase, int64_t& begin, int64_t& end) {
    const int64_t at0 = block.column * stride_w + phase - a_.pad_w;  // of step 0
    begin = at0 >= 0 ? 0 : std::min(block.columns, (-at0 + stride_w - 1) / stride_w);
    end = at0 >= W ? begin : std::clamp((W - at0 + stride_w - 1) / stride_w, begin, block.columns);
    return at0;
  };
  for (int64_t c = 0; c < channels; ++c) {
    const float* image = a_.src.image(n) + (channel + c) * H * W;
    float* phase_row = out + c * int64_t(rows_.used.size() * columns_.used.size()) * block.plane();
    for (size_t y = 0; y < rows_.used.size(); ++y, phase_row += columns_.used.size() * block.plane()) {
      for (int64_t i = 0; i < block.rows; ++i) {
        const int64_t h = (block.row + i) * stride_h + rows_.used[y] - a_.pad_h;
        const bool exists = h >= 0 && h < H;
        const float* source = exists ? image + h * W : nullptr;
        if (exists && a_.src_trim && stride_w > 1) {
          int64_t begin, end;
          const int64_t low = std::max<int64_t>(0, block.column * stride_w - a_.pad_w);
          const int64_t at0 = inside(stride_w - 1, begin, end);
          const int64_t high = std::min(W, std::max(low, at0 + (block.columns - 1) * stride_w + 1));
          if (low < high) trim(source + low, line + low, high - low, ((channel + c) * H + h) * W + low);
          source = line;
        }
        for (size_t x = 0; x < columns_.used.size(); ++x) {
          float* to = phase_row + x * block.plane() + i * block.columns;
          int64_t begin, end;
          const int64_t at0 = inside(columns_.used[x], begin, end);
          if (!exists) begin = end = 0;
          std::fill(to, to + begin, 0.0f);
          std::fill(to + end, to + block.columns, 0.0f);
          if (begin == end) continue;
          const float* from = source + at0 + begin * stride_w;
          if (stride_w == 1) {
            if (a_.src_trim)
              trim(from, to + begin, end - begin, ((channel + c) * H + h) * W + at0 + begin);
            else
              std::memcpy(to + begin, from, (end - begin) * sizeof(float));
          } else if (stride_w == 2) {
            copy_strided<2>(from, 2, to + begin, end - begin);
          } else {
            copy_strided<0>(from, stride_w, to + begin, end - begin);
          }
        }
      }
    }
  }
}

}  // namespace ristretto
