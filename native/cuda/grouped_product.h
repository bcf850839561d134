// What the products of convolutions have in common: groups, and depths cut into parts with sums of their own.
// Blocks count both along z, the groups of a part side by side.
#pragma once

#include "product.h"

namespace ristretto::cuda {

struct GroupedProduct {
  const float* a_data = nullptr;
  const float* b_data = nullptr;
  int64_t a_group = 0, b_group = 0, sink_group = 0;  // floats from one group to the next
  int row_count = 0, column_count = 0;               // of one group
  int depth_count = 0, depth_part = 0;               // of which one part takes so many
  int groups = 1;
  int64_t sink_part = 0;
  int a_row = 0;

  RISTRETTO_DEVICE int group() const { return block_index(2) % groups; }
  RISTRETTO_DEVICE int part() const { return block_index(2) / groups; }

  RISTRETTO_DEVICE const float* a() const { return a_data + group() * a_group; }
  RISTRETTO_DEVICE const float* b() const { return b_data + group() * b_group; }
  RISTRETTO_DEVICE int rows() const { return row_count; }
  RISTRETTO_DEVICE int columns() const { return column_count; }
  RISTRETTO_DEVICE int first_depth() const { return part() * depth_part; }
  RISTRETTO_DEVICE int end_depth() const {
    const int end = (part() + 1) * depth_part;
    return end < depth_count ? end : depth_count;
  }
  RISTRETTO_DEVICE int row(int m) const { return m * a_row; }
};

}  // namespace ristretto::cuda
