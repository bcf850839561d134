// The executor itself: what it runs, and what it finds wrong. Its kernels here are wrong on purpose.
#include "cuda/executor.h"

#include "cuda/launch.h"
#include "cuda/warpgroup.h"
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

TEST(a_bulk_copy_is_there_when_its_phase_has_ended) {
  alignas(16) uint32_t source[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  executor::run({}, 64, 256, [&] {
    uint64_t* barrier = shared_memory<uint64_t>(128);
    if (thread_index() == 0) {
      barrier_init(barrier, 1);
      publish_barriers();
    }
    block_barrier();
    for (int phase = 0; phase < 3; ++phase) {
      uint32_t* shared = shared_memory<uint32_t>();
      if (thread_index() == 0) {
        barrier_expect(barrier, 32);
        for (int half = 0; half < 2; ++half) copy_bulk(shared + 4 * half, source + 4 * half, 16, barrier);
        CHECK(shared[0] != 1 && shared[4] != 5, "a copy is there before its wait");
      }
      barrier_wait(barrier, phase % 2);
      for (int i = 0; i < 8; ++i) CHECK_EQUAL(shared[i], source[i]);
      block_barrier();
    }
  });
}

TEST(a_phase_that_does_not_end_is_an_error) {
  alignas(16) uint32_t source[4] = {};
  const auto run = [&](int expected, bool copies) {
    return error_of_kernel(32, [&] {
      uint64_t* barrier = shared_memory<uint64_t>(128);
      if (thread_index() == 0) barrier_init(barrier, 1);
      block_barrier();
      if (thread_index() == 0) barrier_expect(barrier, expected);
      if (thread_index() == 0 && copies) copy_bulk(shared_memory<char>(), source, 16, barrier);
      barrier_wait(barrier, 0);
    });
  };
  CHECK_EQUAL(run(16, true), "");
  CHECK(run(16, false).find("32 at one in shared memory") != std::string::npos, run(16, false));
  CHECK(run(32, true).find("32 at one in shared memory") != std::string::npos, run(32, true));
}

TEST(some_warps_meet_at_a_barrier_of_their_own) {
  std::vector<int> seen(96);
  executor::run({}, 96, 96 * sizeof(int), [&] {
    if (thread_index() >= 64) return;
    int* shared = shared_memory<int>();
    shared[thread_index()] = thread_index();
    group_barrier(1, 64);
    seen[size_t(thread_index())] = shared[63 - thread_index()];
  });
  for (int i = 0; i < 64; ++i) CHECK_EQUAL(seen[size_t(i)], 63 - i);
}

// 64 x 32 bytes times 32 x 32, in both layouts; what is written over an operand before the wait shows.
TEST(warp_groups_multiply_from_shared_memory) {
  const auto left = [](int row, int k) { return int8_t(row * 7 + k * 3 - 100); };
  const auto right = [](int column, int k) { return int8_t(column * 5 - k * 11 + 60); };
  for (const bool swizzled : {false, true})
    for (const bool early : {false, true}) {
      int wrong = 0;
      executor::run({}, 128, 8192, [&] {
        char* a = shared_memory<char>();
        char* b = shared_memory<char>(4096);
        const auto place = [&](int rows, int row, int k) {
          if (!swizzled) return k / 16 * rows * 16 + row * 16 + k % 16;
          return row * 64 + ((k / 16 ^ (row >> 1 & 3)) << 4) + k % 16;
        };
        for (int i = thread_index(); i < 64 * 32; i += 128)
          a[place(64, i / 32, i % 32)] = left(i / 32, i % 32);
        for (int i = thread_index(); i < 32 * 32; i += 128)
          b[place(32, i / 32, i % 32)] = right(i / 32, i % 32);
        block_barrier();
        int32_t sums[4][4];
        const SharedMatrix am = swizzled ? swizzled_matrix(a) : chunked_matrix(a, 64 * 16);
        const SharedMatrix bm = swizzled ? swizzled_matrix(b) : chunked_matrix(b, 32 * 16);
        warpgroup_begin();
        multiply_warpgroup(sums, am, bm, false);
        multiply_warpgroup(sums, am, bm, true);
        warpgroup_commit();
        if (early) {
          block_barrier();
          std::memset(a + 32 * thread_index(), 0, 32);
          block_barrier();
        }
        warpgroup_wait<0>(sums);
        for (int j = 0; j < 4; ++j)
          for (int e = 0; e < 4; ++e) {
            const int row = warp_index() * 16 + lane_index() / 4 + e / 2 * 8;
            const int column = 8 * j + lane_index() % 4 * 2 + e % 2;
            int sum = 0;
            for (int k = 0; k < 32; ++k) sum += 2 * left(row, k) * right(column, k);
            wrong += sums[j][e] != sum;
          }
      });
      if (early)
        CHECK(wrong > 0);
      else
        CHECK_EQUAL(wrong, 0);
    }
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
  guarded::vector<int32_t> product(16 * 8);
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
  guarded::vector<float> tf32(16 * 8), bf16(16 * 8);
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
