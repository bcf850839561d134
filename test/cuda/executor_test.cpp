// The executor itself: what it runs, and what it finds wrong. Its kernels here are wrong on purpose.
#include "cuda/executor.h"

#include "cuda/launch.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

#if defined(RISTRETTO_CUDA_EMULATED)

namespace {

template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

template <class Body>
std::string error_of_kernel(int threads, const Body& body) {
  return error_of([&] { executor::run({}, threads, 4096, body); });
}

}  // namespace

TEST(every_thread_of_every_block_runs_once) {
  std::vector<int> runs(2 * 3 * 4 * 96);
  executor::run({2, 3, 4}, 96, 0, [&] {
    const int block = (block_index(2) * blocks(1) + block_index(1)) * blocks(0) + block_index(0);
    ++runs[size_t(block * block_threads() + thread_index())];
  });
  for (int count : runs) CHECK_EQUAL(count, 1);
}

TEST(threads_meet_at_barriers) {
  std::vector<int> sums(256);
  executor::run({}, 256, 256 * sizeof(int), [&] {
    int* shared = shared_memory<int>();
    shared[thread_index()] = thread_index();
    for (int step = 128; step > 0; step /= 2) {
      block_barrier();
      if (thread_index() < step) shared[thread_index()] += shared[thread_index() + step];
    }
    block_barrier();
    sums[size_t(thread_index())] = shared[0];
  });
  for (int sum : sums) CHECK_EQUAL(sum, 255 * 128);
}

TEST(lanes_exchange_values) {
  std::vector<int> xors(64), downs(64), from(64);
  executor::run({}, 64, 0, [&] {
    const size_t i = size_t(thread_index());
    xors[i] = shuffle_xor(thread_index(), 5);
    downs[i] = shuffle_down(thread_index(), 3);
    from[i] = shuffle(thread_index(), 7);
  });
  for (int i = 0; i < 64; ++i) {
    CHECK_EQUAL(xors[size_t(i)], i ^ 5);
    CHECK_EQUAL(downs[size_t(i)], i % 32 + 3 < 32 ? i + 3 : i);
    CHECK_EQUAL(from[size_t(i)], i / 32 * 32 + 7);
  }
}

TEST(a_barrier_that_some_threads_miss_is_an_error) {
  const std::string error = error_of_kernel(64, [] {
    if (thread_index() != 13) block_barrier();
  });
  CHECK(error.find("63 wait at the block's barrier") != std::string::npos, error);
}

TEST(lanes_that_do_different_things_are_an_error) {
  const std::string error = error_of_kernel(32, [] {
    if (lane_index() == 3)
      warp_any(true);
    else
      shuffle_xor(1, 1);
  });
  CHECK(error.find("diverge") != std::string::npos, error);
}

TEST(a_copy_that_nobody_waited_for_is_not_there) {
  alignas(16) uint32_t source[4] = {1, 2, 3, 4};
  uint32_t early = 0, late = 0;
  executor::run({}, 1, 64, [&] {
    uint32_t* shared = shared_memory<uint32_t>();
    copy_async16(shared, source, true);
    copy_async_commit();
    copy_async16(shared + 4, source, false);
    copy_async_commit();
    early = shared[0];
    copy_async_wait<1>();
    late = shared[0];
    CHECK(shared[4] != 0, "the second copy was not waited for");
    copy_async_wait<0>();
    CHECK_EQUAL(shared[4], 0u);
  });
  CHECK(early != 1, "a copy is there before its wait");
  CHECK_EQUAL(late, 1u);
}

TEST(a_missing_barrier_shows) {
  // Thread 0 reads what the others write: in some order of threads it comes too early.
  int wrong = 0;
  for (uint32_t seed = 1; seed <= 8; ++seed)
    executor::run(
        {}, 32, 32 * sizeof(int),
        [&] {
          shared_memory<int>()[thread_index()] = 1;
          if (thread_index() == 0)
            for (int i = 0; i < 32; ++i) wrong += shared_memory<int>()[i] != 1;
        },
        seed);
  CHECK(wrong > 0);
}

TEST(what_a_kernel_throws_reaches_the_caller) {
  const std::string error = error_of_kernel(64, [] {
    block_barrier();
    if (thread_index() == 40) fail("of thread 40");
    block_barrier();
  });
  CHECK_EQUAL(error, std::string("of thread 40"));
}

#endif
