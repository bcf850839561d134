#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ristretto {

namespace {

// Layers follow each other within microseconds: a worker that stays awake this long is there for the next
// one, and costs nothing noticeable between forwards.
constexpr std::chrono::microseconds kAwake{150};
// Looks between two looks at the clock.
constexpr int kLooks = 64;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" ::: "memory");
#else
  std::this_thread::yield();
#endif
}

// Looks until ready() or until the time to stay awake is over; says which.
template <class Ready>
bool spin(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + kAwake;
  do {
    for (int look = 0; look < kLooks; ++look) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

// One word, the gate, says which loop is on and who takes part: bits 16 and up count openings and closings
// (odd: open), the low 16 bits count the workers inside. A worker enters by raising the count of a gate that
// it saw open; the caller closes the gate when no task is left to take, and waits until nobody is inside. So
// the loop's description changes only while nobody can read it, and no lock is taken while all are awake.
//
// Who falls asleep raises a flag first and looks at the gate once more; who changes the gate looks at the
// flag afterwards. All four are sequentially consistent: one of the two sees the other.
struct ThreadPool::State {
  static constexpr uint64_t kTurn = uint64_t{1} << 16, kInside = kTurn - 1;

  alignas(64) std::atomic<uint64_t> gate{0};
  const FunctionRef<void(int64_t, int)>* body = nullptr;
  // Each worker's own part of the tasks, next to each other: the same part of every loop of one shape, so
  // what it wrote in one layer it finds in its own cache in the next. Who is done takes from the others'
  // parts.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  std::vector<Share> shares;
  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::exception_ptr error;  // under the mutex
  std::atomic<bool> failed{false};
  const std::atomic<bool>* cancel = nullptr;
  std::vector<std::thread> workers;

  explicit State(int threads) : shares(size_t(threads)) {}

  void check_cancelled() const {
    if (cancel && cancel->load(std::memory_order_relaxed)) throw Cancelled();
  }

  void share_out(int64_t tasks) {
    const int64_t count = int64_t(shares.size());
    for (int64_t i = 0; i < count; ++i) {
      shares[size_t(i)].next.store(tasks * i / count, std::memory_order_relaxed);
      shares[size_t(i)].end = tasks * (i + 1) / count;
    }
  }

  void drain(int worker) {
    try {
      for (size_t i = 0; i < shares.size(); ++i) {
        Share& share = shares[(size_t(worker) + i) % shares.size()];
        for (int64_t task; (task = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
          check_cancelled();
          (*body)(task, worker);
        }
      }
    } catch (...) {
      for (Share& share : shares) share.next.store(share.end, std::memory_order_relaxed);
      std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
      failed.store(true, std::memory_order_relaxed);
    }
  }

  // Waits for a loop that this worker has not taken part in; false where the pool ends.
  bool await_turn(uint64_t seen) {
    const auto ready = [&] {
      const uint64_t turn = gate.load() / kTurn;
      return stopping.load(std::memory_order_relaxed) || (turn % 2 == 1 && turn != seen);
    };
    if (!spin(ready)) {
      std::unique_lock<std::mutex> lock(mutex);
      sleepers.fetch_add(1);
      wake.wait(lock, ready);
      sleepers.fetch_sub(1);
    }
    return !stopping.load(std::memory_order_relaxed);
  }

  void work(int worker) {
    uint64_t seen = 0;
    while (await_turn(seen)) {
      uint64_t now = gate.load();
      if (now / kTurn % 2 == 0 || now / kTurn == seen || !gate.compare_exchange_strong(now, now + 1))
        continue;
      seen = now / kTurn;
      drain(worker);
      if (((gate.fetch_sub(1) - 1) & kInside) == 0 && caller_sleeps.load()) {
        std::lock_guard<std::mutex> lock(mutex);
        done.notify_one();
      }
    }
  }

  void wake_workers(int64_t most) {
    const int asleep = sleepers.load();
    if (asleep == 0) return;
    { std::lock_guard<std::mutex> lock(mutex); }  // who counted itself asleep is waiting now
    if (most >= asleep) {
      wake.notify_all();
    } else {
      for (int64_t i = 0; i < most; ++i) wake.notify_one();
    }
  }

  void await_workers() {
    const auto ready = [&] { return (gate.load() & kInside) == 0; };
    if (spin(ready)) return;
    std::unique_lock<std::mutex> lock(mutex);
    caller_sleeps.store(true);
    done.wait(lock, ready);
    caller_sleeps.store(false);
  }
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(1, threads)), state_(new State(threads_)) {
  try {
    state_->workers.reserve(size_t(threads_ - 1));
    for (int worker = 1; worker < threads_; ++worker)
      state_->workers.emplace_back([this, worker] { state_->work(worker); });
  } catch (const std::system_error& e) {
    end_workers();
    throw MemoryError("cannot start " + std::to_string(threads_) + " threads: " + e.code().message());
  }
}

ThreadPool::~ThreadPool() { end_workers(); }

void ThreadPool::end_workers() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& t : state_->workers) t.join();
}

void ThreadPool::cancel_by(const std::atomic<bool>* flag) { state_->cancel = flag; }

void ThreadPool::run(int64_t tasks, FunctionRef<void(int64_t, int)> body) {
  if (tasks <= 0) return;
  State& s = *state_;
  if (threads_ == 1 || tasks == 1) {
    for (int64_t task = 0; task < tasks; ++task) {
      s.check_cancelled();
      body(task, 0);
    }
    return;
  }
  s.share_out(tasks);
  s.body = &body;
  s.gate.fetch_add(State::kTurn);
  s.wake_workers(tasks - 1);
  s.drain(0);
  s.gate.fetch_add(State::kTurn);
  s.await_workers();
  if (!s.failed.load(std::memory_order_relaxed)) return;
  s.failed.store(false, std::memory_order_relaxed);
  std::exception_ptr error;
  {
    std::lock_guard<std::mutex> lock(s.mutex);
    error.swap(s.error);
  }
  std::rethrow_exception(error);
}

void ThreadPool::for_range(int64_t count, int64_t grain, FunctionRef<void(int64_t, int64_t, int)> body) {
  if (count <= 0) return;
  const int64_t most = (count + std::max<int64_t>(1, grain) - 1) / std::max<int64_t>(1, grain);
  const int64_t parts = std::min<int64_t>(most, int64_t{threads_} * 4);
  run(parts, [&](int64_t part, int worker) {
    const int64_t begin = count * part / parts, end = count * (part + 1) / parts;
    if (begin < end) body(begin, end, worker);
  });
}

}  // namespace ristretto
