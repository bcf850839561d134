#include "aligned_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "error.h"

namespace ristretto {

namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

void require_memory(bool had, size_t bytes) {
  if (!had) throw MemoryError("cannot allocate " + std::to_string(bytes) + " bytes");
}

}  // namespace

AlignedBuffer::AlignedBuffer(size_t bytes) : size_(bytes) {
  if (bytes == 0) return;
  require_memory(bytes <= (size_t{1} << 46), bytes);
  if (bytes >= kHugePage) {
    mapped_ = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    void* block = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require_memory(block != MAP_FAILED, bytes);
#if defined(MADV_HUGEPAGE)
    madvise(block, mapped_, MADV_HUGEPAGE);
#endif
    data_ = block;
    return;
  }
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
#if defined(__SANITIZE_ADDRESS__)
  // A block that ends where the memory does, so that every access behind it is told.
  block_ = data_ = std::aligned_alloc(kAlignment, rounded);
  require_memory(block_ != nullptr, bytes);
  std::memset(data_, 0, rounded);
#else
  // Not aligned_alloc: before 2.38, glibc finds no block for it that it freed before, so that a loop of
  // allocations with others in between grows for ever.
  block_ = std::calloc(rounded + kAlignment, 1);
  require_memory(block_ != nullptr, bytes);
  data_ = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(block_) + kAlignment - 1) & ~(kAlignment - 1));
#endif
}

AlignedBuffer::AlignedBuffer(size_t bytes, std::shared_ptr<MemorySource> source)
    : AlignedBuffer(source ? 0 : bytes) {
  if (!source) return;
  size_ = bytes;
  if (bytes == 0) return;
  data_ = source->allocate(bytes);
  source_ = std::move(source);
}

AlignedBuffer::~AlignedBuffer() {
  if (source_) {
    source_->free(data_);
  } else if (mapped_) {
    munmap(data_, mapped_);
  } else {
    std::free(block_);
  }
}

}  // namespace ristretto
