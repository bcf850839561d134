// Memory for the tests' tensors between pages that may not be touched. A kernel that reads or writes a byte
// next to a tensor stops the test there, whatever the byte holds and whatever lies around it: at the tensor's
// end in a case's first run, in front of it in the second (check.h). What else the pages hold is a NaN as
// float32; a write to it is found when the block is freed.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define GUARDED_BY_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARDED_BY_SANITIZER 1
#endif
#endif

namespace guarded {

// Which end of the block touches a page that may not be touched.
enum class Side { end, start };

class Pages {
 public:
  static Pages& all() {
    static Pages* const pages = new Pages;  // blocks of static objects outlive it otherwise
    return *pages;
  }

  Side side = Side::end;
  // Changes with every block.
  uint64_t made = 0;
  const char* running = "";  // the case, for messages

  void* allocate(size_t bytes) {
    const size_t room = rounded(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    ++made;
    std::vector<Block*>& spare = spare_[room];
    if (spare.empty()) spare.push_back(map(room));
    Block* block = spare.back();
    block->data = block->first + (side == Side::end ? room - bytes : 0);
    block->bytes = bytes;
    std::memset(block->first, kFill, block->data - block->first);
    std::memset(block->data + bytes, kFill, block->first + room - (block->data + bytes));
    spare.pop_back();
    used_[block->data] = block;
    return block->data;
  }

  void free(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = used_.find(static_cast<char*>(data));
    Block* block = found->second;
    used_.erase(found);
    const auto kept = [](const char* begin, const char* end) {
      return begin == end || (*begin == kFill && !std::memcmp(begin, begin + 1, size_t(end - begin) - 1));
    };
    const size_t room = rounded(block->bytes);
    if (!kept(block->first, block->data)) stop("wrote in front of", *block, 0);
    if (!kept(block->data + block->bytes, block->first + room)) stop("wrote behind", *block, 0);
    spare_[room].push_back(block);
  }

  // Says which tensor a fault lies next to, and ends the process.
  void report_faults() {
    struct sigaction action = {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
      all().explain(static_cast<const char*>(info->si_addr));
    };
    action.sa_flags = SA_SIGINFO | SA_RESETHAND;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
  }

 private:
  static constexpr char kFill = char(0xFF);
  struct Block {
    char* first;  // of the pages that may be touched
    char* data;
    size_t bytes;
  };

  size_t rounded(size_t bytes) const { return std::max<size_t>(1, (bytes + page_ - 1) / page_) * page_; }

  Block* map(size_t room) {
    void* at = mmap(nullptr, room + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(static_cast<char*>(at) + page_, room, PROT_READ | PROT_WRITE) != 0)
      throw std::bad_alloc();
    blocks_.push_back({static_cast<char*>(at) + page_, nullptr, 0});
    return &blocks_.back();
  }

  // Runs in a signal handler: whatever it meets, the process ends.
  void explain(const char* at) {
    for (const Block& block : blocks_) {
      const char* end = block.first + rounded(block.bytes);
      if (at < block.first && at >= block.first - page_)
        stop("touched memory in front of", block, block.data - at);
      if (at >= end && at < end + page_) stop("touched memory behind", block, at - block.data - block.bytes);
    }
    std::fprintf(stderr, "FAIL  %s: invalid address %p\n", running, static_cast<const void*>(at));
    _exit(1);
  }

  [[noreturn]] void stop(const char* what, const Block& block, size_t distance) const {
    std::fprintf(stderr, "FAIL  %s: %s a tensor of %zu bytes, %zu bytes from it\n", running, what,
                 block.bytes, distance);
    _exit(1);
  }

  const size_t page_ = size_t(sysconf(_SC_PAGESIZE));
  std::mutex mutex_;
  std::deque<Block> blocks_;
  std::map<size_t, std::vector<Block*>> spare_;  // by size
  std::map<char*, Block*> used_;
};

// For elements as wide as they are aligned: a block that ends with its page is aligned to its elements alone,
// as a blob within an arena is.
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <class Other>
  Allocator(const Allocator<Other>&) {}
  T* allocate(size_t count) {
    static_assert(sizeof(T) % alignof(T) == 0);
#if defined(GUARDED_BY_SANITIZER)
    return static_cast<T*>(::operator new(count * sizeof(T)));
#else
    return static_cast<T*>(Pages::all().allocate(count * sizeof(T)));
#endif
  }
  void deallocate(T* data, size_t) {
#if defined(GUARDED_BY_SANITIZER)
    ::operator delete(data);
#else
    Pages::all().free(data);
#endif
  }
  friend bool operator==(const Allocator&, const Allocator&) { return true; }
};

template <class T>
using vector = std::vector<T, Allocator<T>>;

}  // namespace guarded
