// thread_pool_bench [--threads 2] [--rounds 2000]: what sharing a loop among threads costs. Loops of tasks of
// a given length follow each other at once, as the layers of a single image do, or after a pause in which the
// workers fall asleep. Prints microseconds per loop beyond its share of the work: the median and the tenth
// part.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/thread_pool.h"

using namespace ristretto;

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

volatile double start_value = 1;

// Arithmetic of a length that neither memory nor the clock decides; the compiler must not do it only once.
double turn_over(int64_t steps) {
  double x = start_value;
  for (int64_t i = 0; i < steps; ++i) x = x * 0.999999 + 1e-6;
  return x;
}

volatile double sink;

}  // namespace

int main(int argc, char** argv) {
  int threads = 2, rounds = 2000;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--threads") threads = std::atoi(argv[i + 1]);
    if (name == "--rounds") rounds = std::atoi(argv[i + 1]);
  }
  double fastest = 1e9;
  for (int i = 0; i < 20; ++i) {
    const auto start = Clock::now();
    sink = turn_over(100000);
    fastest = std::min(fastest, microseconds(Clock::now() - start));
  }
  const double steps_per_microsecond = 100000 / fastest;

  ThreadPool pool(threads);
  std::printf("%d threads, 4 tasks a thread\n", threads);
  for (const int idle : {0, 1000})
    for (const double task : {0.0, 1.0, 5.0, 20.0}) {
      const int64_t steps = int64_t(task * steps_per_microsecond);
      std::vector<double> costs;
      for (int round = 0; round < (idle ? rounds / 10 : rounds); ++round) {
        if (idle) std::this_thread::sleep_for(std::chrono::microseconds(idle));
        const auto start = Clock::now();
        pool.run(threads * 4, [&](int64_t, int) {
          if (steps) sink = turn_over(steps);
        });
        costs.push_back(microseconds(Clock::now() - start) - 4 * task);
      }
      std::sort(costs.begin(), costs.end());
      std::printf("  %-9s tasks of %4.0f us: %7.2f us (tenth part %.2f)\n", idle ? "asleep," : "awake,", task,
                  costs[costs.size() / 2], costs[costs.size() / 10]);
    }
}
