// Products of matrices that lie in tensors without ever being written as matrices: the sums of a
// convolution, of its gradients, of a fully connected layer.
//
//   sums[m][n] = sum over depths d of a[row m + depth d] * b[column n + depth d]
//
// where b is 0 outside its plane. A block makes a tile of kRows x kColumns sums. Per step of a few depths it
// puts both operands' parts of them into shared memory, one buffer being filled while the other is read; a
// warp makes 32 x 64 sums in registers. What a step's depths mean is worked out once a block, two steps ahead
// of their use. Sums leave through shared memory, so that stores are whole lines whatever the tensor's place.
//
// Every sum adds its depths in their order in one chain, whatever the tile: results depend on neither the
// tile's size nor on the other columns.
#pragma once

#include <algorithm>

#include "launch.h"
#include "product_units.h"
#include "trim_value.h"

namespace ristretto::cuda {

// Where a column or a depth stands: in b (its offset, and its row and column of the plane, both of which add
// up over column and depth), and a depth's offset in a. kNowhere: beyond the operand, where values are 0.
struct alignas(16) Place {
  int offset, y, x, a;
};
constexpr int kNowhere = -2147483647 - 1;
// Far enough outside the plane that no step leads back.
constexpr int kOutside = -(1 << 30);

// Which way the lanes of a warp run through an operand: consecutive rows (or columns), or depths. That along
// which its elements are neighbours in memory.
enum class Lanes { rows, depths };

// What becomes of a sum.
struct Sink {
  float* data = nullptr;
  int row = 0;                  // floats from one row to the next
  const float* bias = nullptr;  // of the row, or of the column
  bool bias_of_column = false;
  bool relu = false;
  bool accumulate = false;  // added to what is there
  ValueTrim trim = {};
  int64_t element_row = 0;  // random words from one row to the next
};

RISTRETTO_DEVICE float finished(float sum, const Sink& sink, int bias_index) {
  return sink.bias ? sum + sink.bias[bias_index] : sum;
}
RISTRETTO_DEVICE float rectified(float x, const Sink& sink) { return sink.relu && x < 0 ? 0.0f : x; }

// A block's use of shared memory.
template <class Unit, int kRows>
struct ProductShared {
  static constexpr int kRing = 0;                                               // [2][kDepth] places
  static constexpr int kTable = kRing + 2 * Unit::kDepth * int(sizeof(Place));  // [kColumns] places
  static constexpr int kOffsets = kTable + kColumns * int(sizeof(Place));       // [kColumns] of the sink
  static constexpr int kTiles = kOffsets + kColumns * int(sizeof(int));         // [2] a, [2] b
  static constexpr int kA = Unit::bytes(kRows), kB = Unit::bytes(kColumns);
  static constexpr int kOutPitch = kColumns + 4;
  static constexpr int kOutRows = kRows / kWarpRows * Unit::kPassRows;
  static constexpr int kOut = kOutRows * kOutPitch * int(sizeof(float));
  static constexpr int kBytes = kTiles + 2 * std::max(kA + kB, kOut);
};

// A thread's elements of an operand's part of a step: loaded into registers, then put into shared memory.
template <class Unit, int kTileRows, int kThreads, Lanes kLanes>
struct Staging {
  static constexpr int kDepth = Unit::kDepth, kCount = kTileRows * kDepth / kThreads;
  // Along rows: kRowsEach rows, kRun depths of each, in a row.
  static constexpr int kRowsEach = kLanes == Lanes::depths ? kCount
                                   : kTileRows > kThreads  ? kTileRows / kThreads
                                                           : 1;
  static constexpr int kRun = kCount / kRowsEach;

  float values[kRowsEach][kRun];

  static RISTRETTO_DEVICE int row(int i) {
    return kLanes == Lanes::depths ? thread_index() / kDepth + i * (kThreads / kDepth)
                                   : thread_index() % kTileRows + i * kThreads;
  }
  static RISTRETTO_DEVICE int depth() {
    return kLanes == Lanes::depths ? thread_index() % kDepth : thread_index() / kTileRows * kRun;
  }
  RISTRETTO_DEVICE void store(unsigned char* tile) const {
#pragma unroll
    for (int i = 0; i < kRowsEach; ++i) Unit::template put<kTileRows, kRun>(tile, row(i), depth(), values[i]);
  }
};

template <class Unit, int kPass = 0>
RISTRETTO_DEVICE void take_pass(int pass, const typename Unit::Sums& sums, float* out, int pitch) {
  if (kPass == pass) Unit::template take<kPass>(sums, out, pitch);
  if constexpr (kPass + 1 < Unit::kPasses) take_pass<Unit, kPass + 1>(pass, sums, out, pitch);
}

// `Unit` is what multiplies (product_units.h); `Product` says what the sums are of. For the kernel:
//   const float* a(), b()         of this block's group
//   int rows(), columns()
//   int first_depth(), end_depth()  of this block's part
//   int row(m)                    a's offset, or kNowhere
//   Place column(n), depth(d)     n within columns(), d within the depths
//   unsigned height, width        of b's plane
//   Sink sink()                   of this block's group and part
//   int sink_offset(n)            of a column
//   int64_t sink_element(n)       of a column's random words
template <class Unit, int kRows, Lanes kA, Lanes kB, class Product>
RISTRETTO_KERNEL(2 * kRows, Unit::blocks(kRows))
multiply(Product product) {
  using Shared = ProductShared<Unit, kRows>;
  constexpr int kThreads = 2 * kRows, kDepth = Unit::kDepth;
  Place* ring = shared_memory<Place>(Shared::kRing);
  Place* table = shared_memory<Place>(Shared::kTable);
  int* offsets = shared_memory<int>(Shared::kOffsets);
  unsigned char* a_tiles = shared_memory<unsigned char>(Shared::kTiles);
  unsigned char* b_tiles = a_tiles + 2 * Shared::kA;

  const int first_row = block_index(1) * kRows, first_column = block_index(0) * kColumns;
  const int first_depth = product.first_depth(), end_depth = product.end_depth();
  const int steps = (end_depth - first_depth + kDepth - 1) / kDepth;
  const auto place_depths = [&](int step) {
    if (thread_index() >= kDepth) return;
    const int d = first_depth + step * kDepth + thread_index();
    Place place = {0, kOutside, kOutside, kNowhere};
    if (d < end_depth) place = product.depth(d);
    ring[step % 2 * kDepth + thread_index()] = place;
  };
  for (int i = thread_index(); i < kColumns; i += kThreads) {
    const int n = first_column + i;
    Place place = {0, kOutside, kOutside, 0};
    if (n < product.columns()) place = product.column(n);
    table[i] = place;
    offsets[i] = n < product.columns() ? product.sink_offset(n) : kNowhere;
  }
  place_depths(0);
  place_depths(1);
  block_barrier();

  using StagingA = Staging<Unit, kRows, kThreads, kA>;
  using StagingB = Staging<Unit, kColumns, kThreads, kB>;
  StagingA a;
  StagingB b;
  const float *a_data = product.a(), *b_data = product.b();
  // Along depths a thread's columns are many: their places stay in shared memory.
  constexpr int kKept = kB == Lanes::rows ? StagingB::kRowsEach : 1;
  Place kept[kKept];
  if (kB == Lanes::rows) {
#pragma unroll
    for (int i = 0; i < kKept; ++i) kept[i] = table[StagingB::row(i)];
  }
  const auto load = [&](int step) {
    const Place* depths = ring + step % 2 * kDepth;
#pragma unroll
    for (int i = 0; i < StagingA::kRowsEach; ++i) {
      const int m = first_row + StagingA::row(i), row = m < product.rows() ? product.row(m) : kNowhere;
#pragma unroll
      for (int j = 0; j < StagingA::kRun; ++j) {
        const int depth = depths[StagingA::depth() + j].a;
        a.values[i][j] = (row | depth) >= 0 ? a_data[row + depth] : 0.0f;
      }
    }
#pragma unroll
    for (int i = 0; i < StagingB::kRowsEach; ++i) {
      const Place column = kB == Lanes::rows ? kept[kB == Lanes::rows ? i : 0] : table[StagingB::row(i)];
#pragma unroll
      for (int j = 0; j < StagingB::kRun; ++j) {
        const Place depth = depths[StagingB::depth() + j];
        const bool inside =
            unsigned(column.y + depth.y) < product.height && unsigned(column.x + depth.x) < product.width;
        b.values[i][j] = inside ? b_data[column.offset + depth.offset] : 0.0f;
      }
    }
  };

  const int warp_row = warp_index() / 2 * kWarpRows, warp_column = warp_index() % 2 * kWarpColumns;
  typename Unit::Sums sums;
  Unit::clear(sums);
  if (steps > 0) {
    load(0);
    a.store(a_tiles);
    b.store(b_tiles);
  }
  block_barrier();
  for (int step = 0; step < steps; ++step) {
    const int now = step % 2, next = 1 - now;
    // The places of this step were read before the last barrier.
    place_depths(step + 2);
    if (step + 1 < steps) load(step + 1);
    Unit::template multiply<kRows>(a_tiles + now * Shared::kA, b_tiles + now * Shared::kB, warp_row,
                                   warp_column, sums);
    if (step + 1 < steps) {
      a.store(a_tiles + next * Shared::kA);
      b.store(b_tiles + next * Shared::kB);
    }
    block_barrier();
  }

  const Sink sink = product.sink();
  float* out = shared_memory<float>(Shared::kTiles);
#pragma unroll 1
  for (int pass = 0; pass < Unit::kPasses; ++pass) {
    float* rows = out + pass % 2 * (Shared::kOut / int(sizeof(float)));
    float* mine = rows + warp_row / kWarpRows * Unit::kPassRows * Shared::kOutPitch + warp_column;
    // Registers have no index that is known only now.
    take_pass<Unit>(pass, sums, mine, Shared::kOutPitch);
    block_barrier();
#pragma unroll 1
    for (int r = warp_index(); r < Shared::kOutRows; r += kThreads / kWarp) {
      const int m = first_row + r / Unit::kPassRows * kWarpRows + Unit::pass_row(pass, r % Unit::kPassRows);
      if (m >= product.rows()) continue;
      const float* row = rows + r * Shared::kOutPitch;
      float* to = sink.data + int64_t{m} * sink.row;
      if (sink.trim.format.kind == FormatKind::none) {
#pragma unroll
        for (int i = 0; i < kColumns; i += kWarp) {
          const int column = i + lane_index(), offset = offsets[column];
          if (offset < 0) continue;
          const float sum = finished(row[column], sink, sink.bias_of_column ? first_column + column : m);
          to[offset] = rectified(sink.accumulate ? to[offset] + sum : sum, sink);
        }
      } else {
#pragma unroll 1
        for (int column = lane_index(); column < kColumns; column += kWarp) {
          const int offset = offsets[column], n = first_column + column;
          if (offset < 0) continue;
          const float sum = finished(row[column], sink, sink.bias_of_column ? n : m);
          const int64_t element = m * sink.element_row + product.sink_element(n);
          to[offset] = rectified(trim_value(sum, sink.trim, uint64_t(element)), sink);
        }
      }
    }
  }
}

}  // namespace ristretto::cuda
