// What every op asks of its tensors before it looks at their shapes.
#pragma once

#include "../tensor_view.h"

namespace ristretto {

inline void require_float(const Tensor& tensor, const char* name) {
  require(tensor.data != nullptr, name, " is missing");
  require(tensor.type == DataType::f32, name, " is not float32");
}

// For ops that walk over the whole tensor as one array.
inline void require_contiguous(const Tensor& tensor, const char* name) {
  require_float(tensor, name);
  require(tensor.contiguous(), name, " is a slice of a larger tensor");
}

inline void require_same_shape(const Tensor& a, const char* a_name, const Tensor& b, const char* b_name) {
  require(a.same_shape(b), a_name, " ", a.shape_text(), " and ", b_name, " ", b.shape_text(),
          " differ in shape");
}

}  // namespace ristretto
