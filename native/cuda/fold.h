// Folds the values of a warp's lanes or a block's threads into one, in an order that the number of threads
// alone decides, so that sums of floats are the same in every run.
#pragma once

#include "lanes.h"

namespace ristretto::cuda {

struct Sum {
  template <class T>
  RISTRETTO_DEVICE T operator()(T a, T b) const {
    return a + b;
  }
};
// The first where they are equal or not numbers, so a NaN on the left stays and one on the right is passed
// over.
struct Least {
  template <class T>
  RISTRETTO_DEVICE T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};
struct Greatest {
  template <class T>
  RISTRETTO_DEVICE T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

// T has 4 or 8 bytes. Every lane gets the result.
template <class T, class Combine>
RISTRETTO_DEVICE T warp_fold(T value, const Combine& combine) {
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = combine(value, shuffle_xor(value, mask));
  return value;
}

// Every thread of the block gets the result; whole warps only. `slots` is shared memory of one T a warp, free
// for other uses behind the block's next barrier; `nothing` changes no value that it is combined with.
template <class T, class Combine>
RISTRETTO_DEVICE T block_fold(T value, T nothing, T* slots, const Combine& combine) {
  value = warp_fold(value, combine);
  block_barrier();  // an earlier fold's slots may still be read
  if (lane_index() == 0) slots[warp_index()] = value;
  block_barrier();
  const int warps = block_threads() / kWarp;
  return warp_fold(lane_index() < warps ? slots[lane_index()] : nothing, combine);
}

}  // namespace ristretto::cuda
