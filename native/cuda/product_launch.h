// How many rows a product's tiles have, and its launch.
#pragma once

#include "product.h"

namespace ristretto::cuda {

// Rows of a block's tile: those with which a multiprocessor has the least to do. Smaller tiles leave less of
// themselves empty and occupy more multiprocessors, but read their operands more often for each sum: by how
// much that costs is a guess until it has been measured.
inline int tile_rows(const Context& context, int64_t rows, int64_t columns, int64_t others, int fewest) {
  int best = 128;
  double least = 0;
  for (const auto& [size, cost] : {std::pair{128, 1.0}, {64, 1.1}, {32, 1.3}}) {
    if (size < fewest) break;
    const int64_t blocks = (rows + size - 1) / size * ((columns + kColumns - 1) / kColumns) * others;
    const int64_t of_one = (blocks - 1) / context.device().multiprocessors + 1;
    const double work = double(of_one) * size * cost;
    if (size == 128 || work < least) best = size, least = work;
  }
  return best;
}

template <class Unit, int kRows, Lanes kA, Lanes kB, class Product>
void launch_tiles(Context& context, const char* name, const Product& p, int parts) {
  const Grid grid{(p.column_count + kColumns - 1) / kColumns, (p.row_count + kRows - 1) / kRows,
                  p.groups * parts};
  launch(context, name, grid, 2 * kRows, size_t(ProductShared<Unit, kRows>::kBytes),
         multiply<Unit, kRows, kA, kB, Product>, p);
}

template <class Unit, int kFewest, Lanes kA, Lanes kB, class Product>
void launch_unit(Context& context, const char* name, const Product& p, int parts) {
  const int rows = tile_rows(context, p.row_count, p.column_count, int64_t{p.groups} * parts, kFewest);
  if (rows == 128) return launch_tiles<Unit, 128, kA, kB>(context, name, p, parts);
  if (rows == 64) return launch_tiles<Unit, 64, kA, kB>(context, name, p, parts);
  if constexpr (kFewest == 32) launch_tiles<Unit, 32, kA, kB>(context, name, p, parts);
}

// At least one row and one column.
template <Lanes kA, Lanes kB, class Product>
void launch_tiles(Context& context, const char* name, const Product& p, int parts) {
  switch (context.usable_math()) {
    case Math::fp32:
      return launch_unit<SinglePrecision, 32, kA, kB>(context, name, p, parts);
    case Math::tf32:
      return launch_unit<TensorUnit<Tf32>, 64, kA, kB>(context, name, p, parts);
    case Math::bf16:
      return launch_unit<TensorUnit<Bf16>, 64, kA, kB>(context, name, p, parts);
  }
}

}  // namespace ristretto::cuda
