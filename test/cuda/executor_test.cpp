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

TEST(a_warp_multiplies_matrices_of_bytes) {
  // a (16, 32) and b's columns (8, 32) in shared memory, read as a kernel reads them.
  std::vector<int32_t> product(16 * 8);
  executor::run({}, 32, 1024, [&] {
    int8_t* a = shared_memory<int8_t>();
    int8_t* b = shared_memory<int8_t>(512);
    for (int i = thread_index(); i < 512; i += 32) a[i] = int8_t(i * 7 % 255 - 127);
    for (int i = thread_index(); i < 256; i += 32) b[i] = int8_t(i * 11 % 251 - 125);
    block_barrier();
    uint32_t a_fragments[4], b_fragments[4];
    const int lane = lane_index(), matrix = lane / 8;
    load_matrix4(a_fragments, a + (lane % 8 + matrix % 2 * 8) * 32 + matrix / 2 * 16);
    load_matrix4(b_fragments, b + lane % 8 * 32 + matrix % 2 * 16);
    int32_t d[4] = {1, 1, 1, 1};
    mma_s8(d, a_fragments, {b_fragments[0], b_fragments[1]});
    for (int i = 0; i < 4; ++i) product[size_t((lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2)] = d[i];
  });
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) {
      int32_t expected = 1;
      for (int k = 0; k < 32; ++k)
        expected += ((row * 32 + k) * 7 % 255 - 127) * ((column * 32 + k) * 11 % 251 - 125);
      CHECK_EQUAL(product[size_t(row * 8 + column)], expected, "row ", row, " column ", column);
    }
}

TEST(a_warp_multiplies_matrices_of_floats) {
  // Small whole numbers, which tf32 and bf16 hold exactly.
  const auto a_of = [](int row, int k) { return float((row * 5 + k * 3) % 17 - 8); };
  const auto b_of = [](int k, int column) { return float((k * 7 + column) % 13 - 6); };
  std::vector<float> tf32(16 * 8), bf16(16 * 8);
  executor::run({}, 32, 0, [&] {
    const int row = lane_index() / 4, t = lane_index() % 4;
    const auto pair = [](float low, float high) {
      return bits_of(low) >> 16 | (bits_of(high) & 0xFFFF0000u);
    };
    float d[4] = {}, e[4] = {};
    mma_tf32(d,
             {bits_of(a_of(row, t)), bits_of(a_of(row + 8, t)), bits_of(a_of(row, t + 4)),
              bits_of(a_of(row + 8, t + 4))},
             {bits_of(b_of(t, row)), bits_of(b_of(t + 4, row))});
    uint32_t a[4], b[2];
    for (int i = 0; i < 4; ++i) {
      const int k = 2 * t + i / 2 * 8;
      a[i] = pair(a_of(row + i % 2 * 8, k), a_of(row + i % 2 * 8, k + 1));
    }
    for (int i = 0; i < 2; ++i) b[i] = pair(b_of(2 * t + 8 * i, row), b_of(2 * t + 8 * i + 1, row));
    mma_bf16(e, a, b);
    for (int i = 0; i < 4; ++i) {
      const size_t at = size_t((row + i / 2 * 8) * 8 + t * 2 + i % 2);
      tf32[at] = d[i];
      bf16[at] = e[i];
    }
  });
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) {
      float eight = 0, sixteen = 0;
      for (int k = 0; k < 16; ++k) {
        if (k < 8) eight += a_of(row, k) * b_of(k, column);
        sixteen += a_of(row, k) * b_of(k, column);
      }
      CHECK_EQUAL(tf32[size_t(row * 8 + column)], eight, "row ", row, " column ", column);
      CHECK_EQUAL(bf16[size_t(row * 8 + column)], sixteen, "row ", row, " column ", column);
    }
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
