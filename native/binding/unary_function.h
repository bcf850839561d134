// The field that names a function of unary's table.
#pragma once

#include "core/op/unary.h"
#include "op_binding.h"

namespace ristretto::binding {

template <class A>
Field<A> unary_function(const char* name, UnaryFunction A::*member) {
  return choice(name, member,
                {{"relu", UnaryFunction::relu},
                 {"absolute", UnaryFunction::absolute},
                 {"bnll", UnaryFunction::bnll},
                 {"clip", UnaryFunction::clip},
                 {"elu", UnaryFunction::elu},
                 {"exponent", UnaryFunction::exponent},
                 {"logarithm", UnaryFunction::logarithm},
                 {"power", UnaryFunction::power},
                 {"sigmoid", UnaryFunction::sigmoid},
                 {"swish", UnaryFunction::swish},
                 {"tanh", UnaryFunction::tanh},
                 {"threshold", UnaryFunction::threshold}});
}

}  // namespace ristretto::binding
