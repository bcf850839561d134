// A requantisation as constants for 32-bit vectors.
#pragma once

#include <optional>

#include "../../cpu/fixed_kernels.h"

namespace ristretto {

// Of sums that leave room for the rounding (fixed_bound), or of codes of up to 16 bits. Nothing where 32-bit
// arithmetic cannot do it.
std::optional<FixedStep> make_fixed_step(const Requantise& r);
std::optional<FixedStep> make_fixed_code_step(const Requantise& r);

// The same for tiles, or nothing where they cannot do it: of sums whose start holds bias and rounding, behind
// a ReLU.
std::optional<QuickStore> make_quick_store(const FixedStore& store);

}  // namespace ristretto
