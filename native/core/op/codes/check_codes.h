// What the ops on codes ask of formats and shapes.
#pragma once

#include "../../code_tensor.h"
#include "../../epilogue.h"

namespace ristretto {

inline void require_code_format(const CodeFormat& format, int most_bits, const char* op) {
  require(format.bit_width >= 1 && format.bit_width <= most_bits, op, ": ", format.bit_width,
          " bits, not 1 to ", most_bits);
  require(format.fractional_length >= -126 && format.fractional_length <= 126, op, ": fractional length ",
          format.fractional_length);
}
inline int most_code_bits(DataType type) {
  return type == DataType::i32 ? 32 : type == DataType::i16 ? 16 : 8;
}

inline void require_code_rounding(Rounding rounding, const char* op) {
  require(rounding != Rounding::stochastic, op, ": codes are not rounded stochastically");
}

// Reals (N, C, H, W), fewer axes counting as 1, and codes of the same images, height, width and channels.
inline void require_shape_of_codes(const Tensor& reals, const CodeTensor& codes, const char* op) {
  require(reals.data != nullptr && reals.type == DataType::f32, op, ": the reals are not a float32 tensor");
  require(reals.rank >= 1 && reals.rank <= 4 && reals.dim[0] == codes.images &&
              reals.legacy_dim(1) == codes.channels && reals.legacy_dim(2) == codes.height &&
              reals.legacy_dim(3) == codes.width,
          op, ": reals of shape ", reals.shape_text(), " (channels first) and codes of shape ",
          codes.shape_text(), " (channels last)");
}

}  // namespace ristretto
