// How ops read numbers of rows, which come as floats: their whole part counts.
#pragma once

#include "../../host_device.h"
#include "../../tensor_view.h"

namespace ristretto {

constexpr int64_t kNoRow = -1;

// The row of `rows` that an index names, or kNoRow.
RISTRETTO_HOST_DEVICE int64_t row_of_index(float index, int64_t rows) {
  return index >= 0 && index < float(rows) ? int64_t(index) : kNoRow;
}

// The row that index m names. Throws for one that is not there.
inline int64_t row_at(const Tensor& index, int64_t m, int64_t rows) {
  const int64_t row = row_of_index(index.f32()[m], rows);
  require(row != kNoRow, "index ", index.f32()[m], " (number ", m, ") is outside the rows 0 to ", rows - 1);
  return row;
}

}  // namespace ristretto
