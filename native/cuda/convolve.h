// What the launchers of convolutions, their transposes and their gradients have in common.
#pragma once

#include <algorithm>

#include "context.h"
#include "core/op/convolution/convolution.h"
#include "core/op/convolution/deconvolution.h"

namespace ristretto::cuda {

// Whether run() takes them: nothing but sizes decides.
bool takes(const ConvolutionArguments& arguments);
bool takes(const DeconvolutionArguments& arguments);

// Offsets within what one launch reads or writes are 32-bit: images up to half of that, the windows that
// reach beyond them a quarter.
constexpr int64_t kMostOffset = int64_t{1} << 30, kMostWindow = int64_t{1} << 29;
constexpr int64_t kMostGrid = 65535, kMostRows = kMostGrid * 32;

inline int64_t row_stride(const Tensor& t) { return t.images() > 1 ? t.image_stride : t.image_count(); }

// How many images one launch takes; 0 where one alone is too large.
inline int64_t images_at_once(const Tensor& from, const Tensor& to) {
  return std::min(from.images(), kMostOffset / std::max(row_stride(from), row_stride(to)));
}

// Images [first, first + count) of a tensor.
inline Tensor some_images(Tensor t, int64_t first, int64_t count) {
  t.image_stride = row_stride(t);
  t.data = t.image(first);
  t.dim[0] = count;
  return t;
}

// Whether windows over the planes of `image`, of so many rows and columns in all, may be addressed.
template <class Arguments>
bool windows_fit(const Arguments& a, const Tensor& image) {
  const int64_t R = a.weights.dim[2], S = a.weights.dim[3];
  const int64_t rows = image.dim[2] + 2 * a.pad_h + (R - 1) * a.dilation_h;
  const int64_t columns = image.dim[3] + 2 * a.pad_w + (S - 1) * a.dilation_w;
  return rows < kMostWindow / columns && a.weights.count() < kMostOffset && a.group <= kMostGrid &&
         std::max(a.weights.dim[0], a.weights.dim[1]) <= kMostRows;
}

}  // namespace ristretto::cuda
