#include "core/thread_pool.h"

#include <atomic>

#include "check.h"
#include "core/error.h"

using namespace ristretto;

TEST(every_task_runs_once_for_any_number_of_threads) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> hits(round * 3 + 1);
      pool.run(hits.size(), [&](int64_t task, int worker) {
        CHECK(worker >= 0 && worker < threads);
        ++hits[task];
      });
      for (auto& h : hits) CHECK_EQUAL(h.load(), 1);
    }
  }
}

TEST(ranges_cover_the_whole_without_overlap) {
  ThreadPool pool(3);
  for (int64_t count : {0, 1, 7, 64, 1001}) {
    std::vector<std::atomic<int>> hits(count);
    pool.for_range(count, 10, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) ++hits[i];
    });
    for (auto& h : hits) CHECK_EQUAL(h.load(), 1);
  }
}

TEST(an_exception_in_a_worker_reaches_the_caller_and_the_pool_survives) {
  ThreadPool pool(4);
  for (int round = 0; round < 50; ++round) {
    bool caught = false;
    try {
      pool.run(100, [](int64_t task, int) {
        if (task == 37) fail("task ", task);
      });
    } catch (const Error& e) {
      caught = std::string(e.what()) == "task 37";
    }
    CHECK(caught);
  }
  std::atomic<int> sum{0};
  pool.run(10, [&](int64_t task, int) { sum += task; });
  CHECK_EQUAL(sum.load(), 45);
}
