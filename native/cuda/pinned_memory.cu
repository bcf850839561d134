#include "pinned_memory.h"

#include <cuda_runtime.h>

#include <cstring>
#include <string>

#include "core/error.h"

namespace ristretto::cuda {

namespace {

class PinnedMemory : public MemorySource {
 public:
  void* allocate(size_t bytes) override {
    void* block = nullptr;
    const cudaError_t error = cudaHostAlloc(&block, bytes ? bytes : 1, cudaHostAllocPortable);
    if (error != cudaSuccess) {
      cudaGetLastError();
      throw MemoryError("cannot pin " + std::to_string(bytes) +
                        " bytes of the host's memory: " + cudaGetErrorString(error));
    }
    std::memset(block, 0, bytes);
    return block;
  }
  void free(void* block) override {
    cudaFreeHost(block);
    cudaGetLastError();
  }
};

}  // namespace

std::shared_ptr<MemorySource> pinned_memory() {
  static const auto source = std::make_shared<PinnedMemory>();
  return source;
}

}  // namespace ristretto::cuda
