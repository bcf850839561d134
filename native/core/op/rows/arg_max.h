// arg max: the top k of each run of scores, best first; of equal ones the later first, NaNs last.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class ArgMaxOutput : uint8_t { index, value, both };

template <>
inline constexpr auto names_of<ArgMaxOutput> = enum_names<ArgMaxOutput>("ArgMaxOutput",
                                                                        {{"index", ArgMaxOutput::index},
                                                                         {"value", ArgMaxOutput::value},
                                                                         {"both", ArgMaxOutput::both}});

struct ArgMaxArguments {
  Tensor src;  // seen as (outer, length, inner)
  Tensor dst;  // (outer, k, inner); with `both` (outer, 2, k), inner = 1: indices, then values
  ArgMaxOutput output = ArgMaxOutput::index;
  int64_t outer = 1, length = 1, inner = 1, top_k = 1;

  template <class F>
  static void fields(F& field) {
    using A = ArgMaxArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("output", &A::output);
    field("outer", &A::outer).at_least(0);
    field("length", &A::length).at_least(1);
    field("inner", &A::inner).at_least(1);
    field("topK", &A::top_k).at_least(1);
  }
};

struct ArgMax {
  using Arguments = ArgMaxArguments;
  static constexpr const char* name = "argMax";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
