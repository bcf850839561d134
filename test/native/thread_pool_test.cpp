#include "core/thread_pool.h"

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#include <sys/resource.h>
#endif

#include <atomic>
#include <chrono>
#include <thread>

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

TEST(loops_follow_each_other_and_pauses_with_nothing_lost_or_run_twice) {
  for (int threads : {2, 5}) {
    ThreadPool pool(threads);
    std::vector<int64_t> seen(16);
    int64_t expected = 0;
    for (int round = 0; round < 3000; ++round) {
      // What a loop reads and writes is plain memory: one loop is over, and visible, before the next begins.
      const int64_t tasks = 1 + round % 16;
      pool.run(tasks, [&](int64_t task, int) { seen[size_t(task)] += round; });
      for (int64_t task = 0; task < tasks; ++task) expected += round;
      if (round % 500 == 499)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));  // workers fall asleep
    }
    int64_t sum = 0;
    for (int64_t s : seen) sum += s;
    CHECK_EQUAL(sum, expected);
  }
}

TEST(the_callers_work_is_done_where_workers_outlast_it) {
  ThreadPool pool(3);
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> finished{0};
    pool.run(3, [&](int64_t, int worker) {
      // Longer than a thread stays awake: the caller has to sleep until the last one wakes it.
      if (worker != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++finished;
    });
    CHECK_EQUAL(finished.load(), 3);
  }
}

TEST(only_the_first_exception_is_thrown_and_later_loops_throw_none) {
  ThreadPool pool(4);
  int thrown = 0;
  for (int round = 0; round < 300; ++round) {
    try {
      pool.run(8, [&](int64_t task, int) {
        if (round % 2 == 0) fail("task ", task);
      });
    } catch (const Error&) {
      CHECK_EQUAL(round % 2, 0);
      ++thrown;
    }
  }
  CHECK_EQUAL(thrown, 150);
}

TEST(pools_end_whether_their_workers_are_awake_or_asleep) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> hits{0};
    {
      ThreadPool pool(4);
      if (round % 3) pool.run(8, [&](int64_t, int) { ++hits; });
      if (round % 3 == 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK_EQUAL(hits.load(), round % 3 ? 8 : 0);
  }
}

TEST(a_cancelled_loop_ends_in_the_middle_and_the_next_one_runs) {
  for (int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::atomic<bool> cancelled{false};
    pool.cancel_by(&cancelled);
    std::atomic<int> hits{0};
    bool thrown = false;
    try {
      pool.run(1000, [&](int64_t, int) {
        if (++hits == 5) cancelled = true;
      });
    } catch (const Cancelled&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK(hits.load() >= 5 && hits.load() < 5 + 2 * threads, hits.load(), " tasks ran");
    hits = 0;
    pool.cancel_by(nullptr);
    pool.run(1000, [&](int64_t, int) { ++hits; });
    CHECK_EQUAL(hits.load(), 1000);
  }
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
// Every thread's stack takes address space, so a limit of that is one of threads, for root too.
TEST(threads_that_cannot_be_had_are_an_error) {
  rlimit before;
  CHECK_EQUAL(getrlimit(RLIMIT_AS, &before), 0);
  const rlimit little{rlim_t{1} << 30, before.rlim_max};
  CHECK_EQUAL(setrlimit(RLIMIT_AS, &little), 0);
  std::string message;
  try {
    ThreadPool pool(1000);
  } catch (const MemoryError& e) {
    message = e.what();
  }
  setrlimit(RLIMIT_AS, &before);
  CHECK(message.rfind("cannot start 1000 threads: ", 0) == 0, message);
}
#endif
