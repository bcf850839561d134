#include "core/op/arg_max.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_arg_max() {
  using A = ArgMaxArguments;
  return bind<ArgMax>(
      "argMax",
      {
          tensor("src", &A::src),
          tensor("dst", &A::dst),
          choice(
              "output", &A::output,
              {{"index", ArgMaxOutput::index}, {"value", ArgMaxOutput::value}, {"both", ArgMaxOutput::both}}),
          integer("outer", &A::outer, true, 0),
          integer("length", &A::length, true, 1),
          integer("inner", &A::inner, true, 1),
          integer("topK", &A::top_k, true, 1),
      });
}

}  // namespace ristretto::binding
