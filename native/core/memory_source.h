// Where memory comes from that is not the host's own: what a device's pool offers to owners of memory.
#pragma once

#include <cstddef>

namespace ristretto {

class MemorySource {
 public:
  virtual ~MemorySource() = default;
  // Zeroed, at least 64-byte aligned, addressable by the host. Throws MemoryError.
  virtual void* allocate(size_t bytes) = 0;
  virtual void free(void* block) = 0;
};

}  // namespace ristretto
