// trim: a real to the nearest representable real of a number format, element by element.
#pragma once

#include <cstdint>

#include "../context.h"
#include "../format/trim_format.h"
#include "../tensor_view.h"

namespace ristretto {

// Trims count contiguous floats; in and out may be the same. Returns false when a NaN was met (its element
// is left NaN; the caller names the blob in its error). Runs on the calling thread, with the kernels of
// `features`. format.kind none copies.
bool trim_span(const float* in, float* out, int64_t count, const TrimFormat& format,
               const RandomStream& random, const CpuFeatures& features);

}  // namespace ristretto
