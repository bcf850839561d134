// A fixed set of worker threads that share one loop at a time. Results never depend on their number.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "function_ref.h"

namespace ristretto {

class ThreadPool {
 public:
  // `threads` counts the calling thread: 1 runs everything on it. Throws MemoryError where the system gives
  // fewer threads than that.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // From now on loops look at *flag (null: at nothing) ahead of every task, and throw Cancelled once it is
  // set. The flag must outlive the loops. Called by the thread that calls run(), between loops.
  void cancel_by(const std::atomic<bool>* flag);

  // Calls body(task, worker) for every task in [0, tasks), each once; worker is in [0, threads()) and no two
  // calls with the same worker overlap. Returns when all are done; rethrows the first exception. Not
  // reentrant: one caller at a time. A worker that is still waking up when the last task is taken is not
  // waited for.
  void run(int64_t tasks, FunctionRef<void(int64_t task, int worker)> body);

  // Splits [0, count) into contiguous ranges of at least `grain` and calls body(begin, end, worker).
  void for_range(int64_t count, int64_t grain,
                 FunctionRef<void(int64_t begin, int64_t end, int worker)> body);

 private:
  struct State;
  void end_workers();
  int threads_;
  std::unique_ptr<State> state_;
};

}  // namespace ristretto
