#include "executor.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/error.h"
#include "lanes.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace ristretto::cuda::executor {

namespace {

constexpr size_t kStack = size_t{256} << 10;

struct Copy {
  void* shared;
  const void* global;
  bool inside;
  int group;
};

enum class State { ready, at_block_barrier, at_exchange, finished };

// A point to go on from. swapcontext would do, but asks the kernel for the mask of signals at every turn,
// which takes most of a test's time; GCC's own jumps take a few instructions.
struct Place {
#if defined(__GNUC__) && !defined(__clang__)
  void* registers[5];
#else
  ucontext_t registers;
#endif
};

#if defined(__GNUC__) && !defined(__clang__)
// GCC must not see where a jump leads, or it takes the return for one that never happens, and
// AddressSanitizer, which is told of the switch elsewhere, must not take it for the end of the thread.
#define RISTRETTO_OPAQUE __attribute__((noipa, no_sanitize("address", "undefined")))
RISTRETTO_OPAQUE void jump(Place& to) { __builtin_longjmp(to.registers, 1); }
RISTRETTO_OPAQUE void begin_at(const ucontext_t& context) { setcontext(&context); }
RISTRETTO_OPAQUE void go(Place& from, Place& to) {
  if (__builtin_setjmp(from.registers) == 0) jump(to);
}
// To the first line of what `makecontext` was told.
RISTRETTO_OPAQUE void go(Place& from, const ucontext_t& begin) {
  if (__builtin_setjmp(from.registers) == 0) begin_at(begin);
}
#undef RISTRETTO_OPAQUE
#else
void go(Place& from, Place& to) { swapcontext(&from.registers, &to.registers); }
void go(Place& from, const ucontext_t& begin) { swapcontext(&from.registers, &begin); }
#endif

// Lives as long as the launch: what a thread is in one block, it is in the next.
struct Fiber {
  Place place;
  bool begun = false;
  unsigned char* stack;
  void* fake_stack = nullptr;  // AddressSanitizer's
  State state = State::ready;
  std::deque<Copy> copies;  // asked for, not done
  int groups = 0;           // closed so far
};

struct Warp {
  unsigned char values[kWarp][kMostExchanged];
  unsigned char read[kWarp][kMostExchanged];  // those of the exchange that is complete
  const char* operation = nullptr;
  size_t bytes = 0;
  int arrived = 0;
};

class Block;
thread_local Block* current = nullptr;

class Block {
 public:
  Block(const Grid& grid, int threads, size_t shared_bytes, const std::function<void()>& body, uint32_t seed)
      : grid_(grid), threads_(threads), shared_(shared_bytes + 128), body_(body), random_(seed) {
    fibers_.resize(size_t(threads));
    warps_.resize(size_t(threads + kWarp - 1) / kWarp);
    order_.resize(size_t(threads));
    for (int i = 0; i < threads; ++i) order_[size_t(i)] = i;
    stacks_bytes_ = size_t(threads) * kStack;
    stacks_ = mmap(nullptr, stacks_bytes_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks_ == MAP_FAILED) fail("the executor: no memory for the stacks of ", threads, " threads");
    for (int i = 0; i < threads; ++i)
      fibers_[size_t(i)].stack = static_cast<unsigned char*>(stacks_) + size_t(i) * kStack;
  }
  // What fibers of a block that failed had on their stacks is forgotten with them.
  ~Block() { munmap(stacks_, stacks_bytes_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void run(int x, int y, int z) {
    index_[0] = x, index_[1] = y, index_[2] = z;
    // What a block finds in shared memory is whatever was there.
    std::memset(shared_.data(), 0xA5, shared_.size());
    at_barrier_ = finished_ = 0;
    failure_ = nullptr;
    for (Warp& warp : warps_) warp.arrived = 0;
    for (Fiber& fiber : fibers_) start(fiber);
    current = this;
    while (finished_ < threads_ && !failure_) {
      shuffle_order();
      bool moved = false;
      for (int thread : order_) {
        if (failure_) break;
        if (fibers_[size_t(thread)].state != State::ready) continue;
        moved = true;
        resume(thread);
      }
      if (!moved && !failure_) stuck();
    }
    current = nullptr;
    if (failure_) std::rethrow_exception(failure_);
  }

  int thread() const { return thread_; }
  int threads() const { return threads_; }
  int index(int axis) const { return index_[axis]; }
  int blocks(int axis) const { return axis == 0 ? grid_.x : axis == 1 ? grid_.y : grid_.z; }
  void* shared(size_t offset) {
    const uintptr_t at = (reinterpret_cast<uintptr_t>(shared_.data()) + 127) / 128 * 128;
    return reinterpret_cast<unsigned char*>(at) + offset;
  }

  void barrier() {
    fibers_[size_t(thread_)].state = State::at_block_barrier;
    if (++at_barrier_ == threads_) {
      at_barrier_ = 0;
      release(0, threads_, State::at_block_barrier);
    }
    yield();
  }

  const unsigned char* exchange(const char* operation, const void* value, size_t bytes) {
    Warp& warp = warps_[size_t(thread_ / kWarp)];
    if (warp.arrived == 0) {
      warp.operation = operation;
      warp.bytes = bytes;
    } else if (warp.operation != operation && std::strcmp(warp.operation, operation) != 0) {
      fail_here("lanes of warp ", thread_ / kWarp, " diverge: ", warp.operation, " and ", operation);
    }
    std::memcpy(warp.values[thread_ % kWarp], value, bytes);
    fibers_[size_t(thread_)].state = State::at_exchange;
    const int first = thread_ / kWarp * kWarp;
    if (++warp.arrived == std::min(kWarp, threads_ - first)) {
      warp.arrived = 0;
      std::memcpy(warp.read, warp.values, sizeof warp.read);
      release(first, std::min(threads_, first + kWarp), State::at_exchange);
    }
    yield();
    return warp.read[0];
  }

  void copy(void* shared, const void* global, bool inside) {
    if (reinterpret_cast<uintptr_t>(shared) % 16 || (inside && reinterpret_cast<uintptr_t>(global) % 16))
      fail_here("an asynchronous copy of 16 bytes is not aligned to 16 bytes");
    Fiber& fiber = fibers_[size_t(thread_)];
    // Until the copy is waited for, nobody may rely on what is there.
    std::memset(shared, 0xA5, 16);
    fiber.copies.push_back({shared, global, inside, fiber.groups});
  }
  void commit() { ++fibers_[size_t(thread_)].groups; }
  void wait(int groups) {
    Fiber& fiber = fibers_[size_t(thread_)];
    while (!fiber.copies.empty() && fiber.copies.front().group < fiber.groups - groups) {
      const Copy& copy = fiber.copies.front();
      if (copy.inside)
        std::memcpy(copy.shared, copy.global, 16);
      else
        std::memset(copy.shared, 0, 16);
      fiber.copies.pop_front();
    }
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail_here(const Parts&... parts) {
    fail("block (", index_[0], ", ", index_[1], ", ", index_[2], "), thread ", thread_, ": ", parts...);
  }

  void start(Fiber& fiber) {
    fiber.state = State::ready;
    fiber.copies.clear();
    fiber.groups = 0;
  }

  static void enter() {
    Block& block = *current;
    block.arrived_in_fiber();
    for (;;) {
      try {
        block.body_();
      } catch (...) {
        block.failure_ = std::current_exception();
      }
      block.fibers_[size_t(block.thread_)].state = State::finished;
      ++block.finished_;
      block.yield();
    }
  }

  void release(int begin, int end, State from) {
    for (int i = begin; i < end; ++i)
      if (fibers_[size_t(i)].state == from) fibers_[size_t(i)].state = State::ready;
  }

  void resume(int thread) {
    thread_ = thread;
    Fiber& fiber = fibers_[size_t(thread)];
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, fiber.stack, kStack);
#endif
    if (fiber.begun) {
      go(scheduler_, fiber.place);
    } else {
      fiber.begun = true;
      ucontext_t begin;
      getcontext(&begin);
      begin.uc_stack.ss_sp = fiber.stack;
      begin.uc_stack.ss_size = kStack;
      begin.uc_link = nullptr;
      makecontext(&begin, &Block::enter, 0);
      go(scheduler_, begin);
    }
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  }
  void arrived_in_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fibers_[size_t(thread_)].fake_stack, &scheduler_stack_, &scheduler_size_);
#endif
  }
  void yield() {
    Fiber& fiber = fibers_[size_t(thread_)];
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fiber.fake_stack, scheduler_stack_, scheduler_size_);
#endif
    go(fiber.place, scheduler_);
    arrived_in_fiber();
  }

  // Nobody can go on: not all threads came to the same place.
  void stuck() {
    int barrier = 0, exchange = 0;
    const char* operation = "";
    for (const Fiber& fiber : fibers_) barrier += fiber.state == State::at_block_barrier;
    for (const Warp& warp : warps_)
      if (warp.arrived) exchange += warp.arrived, operation = warp.operation;
    thread_ = 0;
    try {
      fail_here("threads diverge: ", barrier, " wait at the block's barrier, ", exchange, " at a warp's ",
                exchange ? operation : "operation", ", ", finished_, " have returned");
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void shuffle_order() {
    for (size_t i = order_.size(); i > 1; --i) {
      random_ = random_ * 1664525u + 1013904223u;
      std::swap(order_[i - 1], order_[(random_ >> 8) % i]);
    }
  }

  const Grid grid_;
  const int threads_;
  AlignedBuffer shared_;
  const std::function<void()>& body_;
  uint32_t random_;
  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  std::vector<int> order_;
  void* stacks_ = nullptr;
  size_t stacks_bytes_ = 0;
  Place scheduler_;
  [[maybe_unused]] const void* scheduler_stack_ = nullptr;
  [[maybe_unused]] size_t scheduler_size_ = 0;
  int index_[3] = {};
  int thread_ = 0, at_barrier_ = 0, finished_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

void run(const Grid& grid, int threads, size_t shared_bytes, const std::function<void()>& body,
         uint32_t seed) {
  require(threads >= 1 && threads <= 1024, "a block of ", threads, " threads");
  require(shared_bytes <= 227 * 1024, "a block of ", shared_bytes, " bytes of shared memory");
  Block block(grid, threads, shared_bytes, body, seed);
  for (int z = 0; z < grid.z; ++z)
    for (int y = 0; y < grid.y; ++y)
      for (int x = 0; x < grid.x; ++x) block.run(x, y, z);
}

int thread_index() { return current->thread(); }
int block_threads() { return current->threads(); }
int block_index(int axis) { return current->index(axis); }
int blocks(int axis) { return current->blocks(axis); }
void* shared_memory(size_t offset) { return current->shared(offset); }
void block_barrier() { current->barrier(); }
const unsigned char* exchange(const char* operation, const void* value, size_t bytes) {
  return current->exchange(operation, value, bytes);
}
void copy_async16(void* shared, const void* global, bool inside) { current->copy(shared, global, inside); }
void copy_async_commit() { current->commit(); }
void copy_async_wait(int groups) { current->wait(groups); }

}  // namespace ristretto::cuda::executor
