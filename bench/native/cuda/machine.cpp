#include "machine.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "cuda/event.h"

namespace ristretto::bench {

namespace {

constexpr int kMostRepeats = 1000;

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Machine::Machine(int id, const Effort& effort)
    : device(id),
      cpu(std::max(1, int(std::thread::hardware_concurrency())), limit_cpu_features("auto")),
      effort(effort) {}

std::vector<double> seconds_in_turns(Machine& machine, const std::vector<std::function<void()>>& passes) {
  cuda::Event start, stop;
  const auto seconds_of = [&](const std::function<void()>& pass, int repeats) {
    start.record(machine.device);
    for (int i = 0; i < repeats; ++i) pass();
    stop.record(machine.device);
    return stop.seconds_since(start) / repeats;
  };
  std::vector<int> repeats;
  for (const auto& pass : passes) {
    pass();  // pages move, code is loaded
    const double once = std::max(seconds_of(pass, 1), 1e-9);
    repeats.push_back(machine.effort.smoke ? 1
                                           : int(std::clamp(std::ceil(machine.effort.round_seconds / once),
                                                            1.0, double(kMostRepeats))));
  }
  std::vector<std::vector<double>> rounds(passes.size());
  for (int round = 0; round < machine.effort.rounds; ++round)
    for (size_t i = 0; i < passes.size(); ++i) rounds[i].push_back(seconds_of(passes[i], repeats[i]));
  machine.device.synchronize();
  std::vector<double> medians;
  for (const auto& each : rounds) medians.push_back(median(each));
  return medians;
}

}  // namespace ristretto::bench
