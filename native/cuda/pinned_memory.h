// Memory of the host that a device's copy engine reads while kernels and processor go on: batches lie in it
// on their way to the device.
#pragma once

#include <memory>

#include "core/memory_source.h"

namespace ristretto::cuda {

// For every device. Throws MemoryError where the system has no pages to pin.
std::shared_ptr<MemorySource> pinned_memory();

}  // namespace ristretto::cuda
