#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define RISTRETTO_PAUSE() _mm_pause()
#else
#define RISTRETTO_PAUSE() std::this_thread::yield()
#endif

namespace ristretto {

namespace {
// Layers follow each other within microseconds: a worker that spins this long before it sleeps is awake
// for the next one, and costs nothing noticeable between forwards.
constexpr int kSpins = 8000;
}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::atomic<uint64_t> generation{0};
  std::atomic<int64_t> next{0};
  std::atomic<int> active{0};
  int64_t tasks = 0;
  const std::function<void(int64_t, int)>* body = nullptr;
  std::exception_ptr error;
  bool stopping = false;
  std::vector<std::thread> workers;

  void drain(int worker) {
    try {
      for (int64_t task; (task = next.fetch_add(1, std::memory_order_relaxed)) < tasks;)
        (*body)(task, worker);
    } catch (...) {
      next.store(tasks, std::memory_order_relaxed);
      std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
    }
  }

  void work(int worker) {
    uint64_t seen = 0;
    for (;;) {
      for (int spin = 0; spin < kSpins && generation.load(std::memory_order_acquire) == seen; ++spin) {
        RISTRETTO_PAUSE();
      }
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return stopping || generation.load(std::memory_order_relaxed) != seen; });
        if (stopping) return;
        seen = generation.load(std::memory_order_relaxed);
      }
      drain(worker);
      if (active.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard<std::mutex> lock(mutex);
        done.notify_one();
      }
    }
  }
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(1, threads)), state_(new State) {
  for (int worker = 1; worker < threads_; ++worker)
    state_->workers.emplace_back([this, worker] { state_->work(worker); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& t : state_->workers) t.join();
}

void ThreadPool::run(int64_t tasks, const std::function<void(int64_t, int)>& body) {
  if (tasks <= 0) return;
  if (threads_ == 1 || tasks == 1) {
    for (int64_t task = 0; task < tasks; ++task) body(task, 0);
    return;
  }
  State& s = *state_;
  {
    std::lock_guard<std::mutex> lock(s.mutex);
    s.tasks = tasks;
    s.body = &body;
    s.error = nullptr;
    s.next.store(0, std::memory_order_relaxed);
    s.active.store(threads_ - 1, std::memory_order_relaxed);
    s.generation.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  s.drain(0);
  for (int spin = 0; spin < kSpins && s.active.load(std::memory_order_acquire) != 0; ++spin)
    RISTRETTO_PAUSE();
  std::unique_lock<std::mutex> lock(s.mutex);
  s.done.wait(lock, [&] { return s.active.load(std::memory_order_acquire) == 0; });
  if (s.error) std::rethrow_exception(s.error);
}

void ThreadPool::for_range(int64_t count, int64_t grain,
                           const std::function<void(int64_t, int64_t, int)>& body) {
  if (count <= 0) return;
  const int64_t most = (count + std::max<int64_t>(1, grain) - 1) / std::max<int64_t>(1, grain);
  const int64_t parts = std::min<int64_t>(most, int64_t{threads_} * 4);
  run(parts, [&](int64_t part, int worker) {
    const int64_t begin = count * part / parts, end = count * (part + 1) / parts;
    if (begin < end) body(begin, end, worker);
  });
}

}  // namespace ristretto
