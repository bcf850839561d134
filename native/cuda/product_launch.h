// How many rows a product's tiles have, and its launch.
#pragma once

#include "product.h"

namespace ristretto::cuda {

// Rows of a block's tile: those with which a multiprocessor has the least to do. Smaller tiles leave less of
// themselves empty and occupy more multiprocessors, but read their operands more often for each sum: by how
// much that costs is a guess until it has been measured.
inline int tile_rows(const Context& context, int64_t rows, int64_t columns, int64_t others) {
  int best = 128;
  double least = 0;
  for (const auto& [size, cost] : {std::pair{128, 1.0}, {64, 1.1}, {32, 1.3}}) {
    const int64_t blocks = (rows + size - 1) / size * ((columns + kColumns - 1) / kColumns) * others;
    const int64_t of_one = (blocks - 1) / context.device().multiprocessors + 1;
    const double work = double(of_one) * size * cost;
    if (size == 128 || work < least) best = size, least = work;
  }
  return best;
}

template <class Math, int kRows, Lanes kA, Lanes kB, class Product>
void launch_tiles(Context& context, const char* name, const Product& p, int parts) {
  const Grid grid{(p.column_count + kColumns - 1) / kColumns, (p.row_count + kRows - 1) / kRows,
                  p.groups * parts};
  launch(context, name, grid, 2 * kRows, size_t(ProductShared<Math, kRows>::kBytes),
         multiply<Math, kRows, kA, kB, Product>, p);
}

// At least one row and one column.
template <Lanes kA, Lanes kB, class Product>
void launch_tiles(Context& context, const char* name, const Product& p, int parts) {
  using Math = SinglePrecision;
  switch (tile_rows(context, p.row_count, p.column_count, int64_t{p.groups} * parts)) {
    case 32:
      return launch_tiles<Math, 32, kA, kB>(context, name, p, parts);
    case 64:
      return launch_tiles<Math, 64, kA, kB>(context, name, p, parts);
    default:
      return launch_tiles<Math, 128, kA, kB>(context, name, p, parts);
  }
}

}  // namespace ristretto::cuda
