#include "executor.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/error.h"
#include "lanes.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace ristretto::cuda::executor {

namespace {

constexpr size_t kStack = size_t{256} << 10;
constexpr size_t kSharedAlignment = 1024;

struct Copy {
  void* shared;
  const void* global;
  bool inside;
  int group;
};

// A piece of memory that is on its way, and the barrier that counts its bytes.
struct BulkCopy {
  std::function<void()> work;
  size_t bytes;
  uint64_t* barrier;
};

struct Product {
  std::function<void()> work;
  int group;
};

// A barrier in shared memory. Bytes may come before they are expected.
struct SharedBarrier {
  uint16_t arrivals, missing;
  int32_t bytes : 31;
  uint32_t phase : 1;
};
static_assert(sizeof(SharedBarrier) == 8);
SharedBarrier load(const uint64_t* barrier) {
  SharedBarrier state;
  std::memcpy(&state, barrier, sizeof state);
  return state;
}
void store(uint64_t* barrier, SharedBarrier state) {
  if (state.missing == 0 && state.bytes == 0) {
    state.missing = state.arrivals;
    state.phase ^= 1;
  }
  std::memcpy(barrier, &state, sizeof state);
}

enum class State { ready, at_block_barrier, at_group_barrier, at_shared_barrier, at_exchange, finished };

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
  std::deque<Product> products;
  int product_groups = 0;
  const uint64_t* barrier = nullptr;  // waited for, until the phase is not `parity`
  int parity = 0, group = 0;
};

constexpr int kGroupBarriers = 16;

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
      : grid_(grid), threads_(threads), shared_(shared_bytes + kSharedAlignment), body_(body), random_(seed) {
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
  ~Block() {
#if defined(__SANITIZE_ADDRESS__)
    // Calls that never returned have left marks, which the next block's stacks at this place would keep.
    if (failure_) __asan_unpoison_memory_region(stacks_, stacks_bytes_);
#endif
    munmap(stacks_, stacks_bytes_);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void run(int x, int y, int z) {
    index_[0] = x, index_[1] = y, index_[2] = z;
    // What a block finds in shared memory is whatever was there.
    std::memset(shared_.data(), 0xA5, shared_.size());
    at_barrier_ = finished_ = 0;
    std::fill(std::begin(at_group_), std::end(at_group_), 0);
    bulk_copies_.clear();
    failure_ = nullptr;
    for (Warp& warp : warps_) warp.arrived = 0;
    for (Fiber& fiber : fibers_) start(fiber);
    current = this;
    while (finished_ < threads_ && !failure_) {
      shuffle_order();
      bool moved = carry_out_copies(1);
      for (int thread : order_) {
        if (failure_) break;
        if (fibers_[size_t(thread)].state == State::at_shared_barrier) look_at_barrier(thread);
        if (fibers_[size_t(thread)].state != State::ready) continue;
        moved = true;
        resume(thread);
      }
      if (!moved && !failure_ && !carry_out_copies(0)) stuck();
    }
    if (!failure_ && !bulk_copies_.empty()) leave("the block ends before its copies have arrived");
    current = nullptr;
    if (failure_) std::rethrow_exception(failure_);
  }

  int thread() const { return thread_; }
  int threads() const { return threads_; }
  int index(int axis) const { return index_[axis]; }
  int blocks(int axis) const { return axis == 0 ? grid_.x : axis == 1 ? grid_.y : grid_.z; }
  void* shared(size_t offset) {
    const uintptr_t at = (reinterpret_cast<uintptr_t>(shared_.data()) + kSharedAlignment - 1) /
                         kSharedAlignment * kSharedAlignment;
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
  void barrier_arrive(uint64_t* barrier, int bytes) {
    SharedBarrier state = load(barrier);
    if (state.missing == 0) fail_here("a barrier that nobody made, or at which too many have arrived");
    state.bytes += bytes;
    --state.missing;
    store(barrier, state);
  }
  void barrier_wait(const uint64_t* barrier, int parity) {
    Fiber& fiber = fibers_[size_t(thread_)];
    if (int(load(barrier).phase) != parity) return;
    fiber.barrier = barrier;
    fiber.parity = parity;
    fiber.state = State::at_shared_barrier;
    yield();
  }
  void group_barrier(int id, int threads) {
    if (id < 1 || id >= kGroupBarriers || threads % kWarp != 0)
      fail_here("barrier ", id, " of ", threads, " threads");
    Fiber& fiber = fibers_[size_t(thread_)];
    fiber.state = State::at_group_barrier;
    fiber.group = id;
    if (++at_group_[id] == threads) {
      at_group_[id] = 0;
      for (Fiber& other : fibers_)
        if (other.state == State::at_group_barrier && other.group == id) other.state = State::ready;
    }
    yield();
  }

  void copy_bulk(void* shared, size_t bytes, uint64_t* barrier, std::function<void()> work) {
    if (bytes % 16 != 0 || offset_of(shared) % 16 != 0)
      fail_here("a copy of ", bytes, " bytes is not aligned to 16 bytes");
    if (offset_of(shared) + bytes > shared_.size() - kSharedAlignment)
      fail_here("a copy of ", bytes, " bytes goes beyond shared memory");
    std::memset(shared, 0xA5, bytes);
    bulk_copies_.push_back({std::move(work), bytes, barrier});
  }
  size_t offset_of(const void* shared_address) {
    return size_t(static_cast<const unsigned char*>(shared_address) - static_cast<unsigned char*>(shared(0)));
  }
  void require_alignment(const void* shared, size_t bytes) {
    if (offset_of(shared) % bytes != 0)
      fail_here("offset ", offset_of(shared), " of shared memory is not a multiple of ", bytes);
  }

  void start_product(std::function<void()> work) {
    exchange("multiply_warpgroup", "", 1);
    Fiber& fiber = fibers_[size_t(thread_)];
    fiber.products.push_back({std::move(work), fiber.product_groups});
  }
  void products_commit() { ++fibers_[size_t(thread_)].product_groups; }
  // Behind it all lanes of the warp have read their operands.
  void products_wait(int groups) {
    Fiber& fiber = fibers_[size_t(thread_)];
    while (!fiber.products.empty() && fiber.products.front().group < fiber.product_groups - groups) {
      fiber.products.front().work();
      fiber.products.pop_front();
    }
    exchange("warpgroup_wait", "", 1);
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
    fiber.products.clear();
    fiber.product_groups = 0;
  }

  // Some of the copies that are under way, in any order; with `patience` 0 at least one. Whether there were
  // any.
  bool carry_out_copies(int patience) {
    bool any = false;
    for (size_t i = 0; i < bulk_copies_.size();) {
      if (random() % 4 != 0 && (patience > 0 || any)) {
        ++i;
        continue;
      }
      any = true;
      const BulkCopy copy = std::move(bulk_copies_[i]);
      bulk_copies_.erase(bulk_copies_.begin() + ptrdiff_t(i));
      copy.work();
      SharedBarrier state = load(copy.barrier);
      state.bytes -= int32_t(copy.bytes);
      store(copy.barrier, state);
    }
    return any;
  }
  void look_at_barrier(int thread) {
    Fiber& fiber = fibers_[size_t(thread)];
    if (int(load(fiber.barrier).phase) != fiber.parity) fiber.state = State::ready;
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
    int group = 0, shared = 0;
    for (const Fiber& fiber : fibers_) {
      barrier += fiber.state == State::at_block_barrier;
      group += fiber.state == State::at_group_barrier;
      shared += fiber.state == State::at_shared_barrier;
    }
    for (const Warp& warp : warps_)
      if (warp.arrived) exchange += warp.arrived, operation = warp.operation;
    std::string others;
    if (group) others += std::to_string(group) + " at a group's, ";
    if (shared) others += std::to_string(shared) + " at one in shared memory, ";
    leave("threads diverge: ", barrier, " wait at the block's barrier, ", others, exchange, " at a warp's ",
          exchange ? operation : "operation", ", ", finished_, " have returned");
  }
  template <class... Parts>
  void leave(const Parts&... parts) {
    thread_ = 0;
    try {
      fail_here(parts...);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  uint32_t random() {
    random_ = random_ * 1664525u + 1013904223u;
    return random_ >> 8;
  }
  void shuffle_order() {
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
  }

  const Grid grid_;
  const int threads_;
  AlignedBuffer shared_;
  const std::function<void()>& body_;
  uint32_t random_;
  std::vector<Fiber> fibers_;
  std::vector<Warp> warps_;
  std::vector<int> order_;
  std::vector<BulkCopy> bulk_copies_;  // asked for, not done
  int at_group_[kGroupBarriers] = {};
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

void barrier_init(uint64_t* barrier, int arrivals) {
  store(barrier, SharedBarrier{uint16_t(arrivals), uint16_t(arrivals), 0, 0});
}
void barrier_arrive(uint64_t* barrier, int bytes) { current->barrier_arrive(barrier, bytes); }
void barrier_wait(uint64_t* barrier, int parity) { current->barrier_wait(barrier, parity); }
void group_barrier(int id, int threads) { current->group_barrier(id, threads); }
void copy_bulk(void* shared, size_t bytes, uint64_t* barrier, std::function<void()> work) {
  current->copy_bulk(shared, bytes, barrier, std::move(work));
}
void start_product(std::function<void()> work) { current->start_product(std::move(work)); }
void products_commit() { current->products_commit(); }
void products_wait(int groups) { current->products_wait(groups); }
size_t shared_offset(const void* shared) { return current->offset_of(shared); }
void require_alignment(const void* shared, size_t bytes) { current->require_alignment(shared, bytes); }

}  // namespace ristretto::cuda::executor
