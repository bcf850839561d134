// Owned memory, 64-byte aligned and zero at first; large blocks come lazily from the system in huge pages.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "memory_source.h"

namespace ristretto {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // Throws Error when the memory cannot be had.
  explicit AlignedBuffer(size_t bytes);
  // From `source`, which is kept as long as its memory; from the host where it is null.
  AlignedBuffer(size_t bytes, std::shared_ptr<MemorySource> source);
  ~AlignedBuffer();
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }

  void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void swap(AlignedBuffer& other) {
    std::swap(data_, other.data_);
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    std::swap(source_, other.source_);
  }
  void* data_ = nullptr;
  void* block_ = nullptr;  // what the heap gave, where it did
  size_t size_ = 0;
  size_t mapped_ = 0;  // bytes mapped, 0 where the block came from the heap or from source_
  std::shared_ptr<MemorySource> source_;
};

}  // namespace ristretto
