// lrn across channels in a minifloat: every step's result is trimmed, in the order of docs/numerics.md, 3.
#pragma once

#include "lrn.h"

namespace ristretto {

void lrn_trimmed(Context& context, const LrnArguments& arguments);

}  // namespace ristretto
