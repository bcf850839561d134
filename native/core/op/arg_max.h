// arg max: the top k of each run of scores, best first; of equal ones the later first, NaNs last.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

enum class ArgMaxOutput : uint8_t { index, value, both };

struct ArgMaxArguments {
  Tensor src;  // seen as (outer, length, inner)
  Tensor dst;  // (outer, k, inner); with `both` (outer, 2, k), inner = 1: indices, then values
  ArgMaxOutput output = ArgMaxOutput::index;
  int64_t outer = 1, length = 1, inner = 1, top_k = 1;
};

struct ArgMax {
  using Arguments = ArgMaxArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
