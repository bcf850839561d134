#include "rates.h"

#include <algorithm>
#include <cstring>

#include "cuda/bench/rates.h"

namespace ristretto::bench {

namespace {

constexpr int kCachedPasses = 64;

// Much more than caches hold.
int64_t memory_bytes(const Machine& machine) {
  if (machine.effort.smoke) return (16 << 10) + 16;
  const auto& device = machine.device.device();
  return std::min<int64_t>(std::max<int64_t>(int64_t{256} << 20, int64_t{6} * device.l2_bytes),
                           int64_t(device.memory_bytes / 8) / 16 * 16);
}

}  // namespace

RateMeter::RateMeter(Machine& machine)
    : machine_(machine),
      rounds_(machine.effort.smoke ? 3 : 4096),
      src_(machine, memory_bytes(machine)),
      dst_(machine, src_.size()),
      result_(machine, cuda::rate_words(machine.device) * int64_t{sizeof(uint32_t)}) {
  uint32_t state = 1;
  uint32_t* words = src_.of<uint32_t>();
  for (int64_t i = 0; i < src_.size() / 4; ++i) words[i] = state = state * 1664525u + 1013904223u;
  check_copy();
  check_read();
  check_multiply();
}

std::function<void()> RateMeter::copy_pass() const {
  return [this] { cuda::copy_memory(machine_.device, src_.bytes(), dst_.bytes(), src_.size()); };
}
std::function<void()> RateMeter::read_pass() const {
  return [this] { cuda::read_memory(machine_.device, src_.bytes(), src_.size(), 1, result_.of<uint32_t>()); };
}
std::function<void()> RateMeter::multiply_pass() const {
  return [this] { cuda::multiply(machine_.device, rounds_, result_.of<uint32_t>()); };
}
double RateMeter::multiply_rate(double seconds) const {
  return cuda::multiply_operations(machine_.device, rounds_) / seconds;
}

int64_t RateMeter::cached_bytes() const {
  return std::min<int64_t>(src_.size(), machine_.device.device().l2_bytes / 4 / 16 * 16);
}

void RateMeter::check_copy() {
  copy_pass()();
  machine_.device.synchronize();
  require(std::memcmp(src_.bytes(), dst_.bytes(), size_t(src_.size())) == 0, "the copy differs");
}

void RateMeter::check_read() {
  const auto folded = [](const uint32_t* words, int64_t count) {
    uint32_t all = 0;
    for (int64_t i = 0; i < count; ++i) all ^= words[i];
    return all;
  };
  read_pass()();
  machine_.device.synchronize();
  require(folded(src_.of<uint32_t>(), src_.size() / 4) == folded(result_.of<uint32_t>(), result_.size() / 4),
          "the read missed words");
}

void RateMeter::check_multiply() {
  const auto words = [&](int rounds) {
    std::memset(result_.bytes(), 0, size_t(result_.size()));
    cuda::multiply(machine_.device, rounds, result_.of<uint32_t>());
    machine_.device.synchronize();
    return std::vector<uint32_t>(result_.of<uint32_t>(), result_.of<uint32_t>() + result_.size() / 4);
  };
  const std::vector<uint32_t> one = words(1), all = words(rounds_);
  for (size_t i = 0; i < one.size(); ++i)
    require(all[i] == one[i] * uint32_t(rounds_), "the loop of products left some out");
  require(std::any_of(one.begin(), one.end(), [](uint32_t word) { return word != 0; }),
          "the loop of products computed nothing");
}

Rates RateMeter::measure() {
  cuda::Context& device = machine_.device;
  const std::vector<double> seconds = seconds_in_turns(
      machine_,
      {copy_pass(), [&] { device.copy(dst_.bytes(), src_.bytes(), size_t(src_.size())); }, read_pass(),
       [&] {
         cuda::read_memory(device, src_.bytes(), cached_bytes(), kCachedPasses, result_.of<uint32_t>());
       },
       multiply_pass(), [&] { cuda::launch_nothing(device); }});
  Rates rates;
  rates.copy = copy_rate(std::min(seconds[0], seconds[1]));
  rates.read = read_rate(seconds[2]);
  rates.cached_read = double(cached_bytes()) * kCachedPasses / seconds[3];
  rates.multiply = multiply_rate(seconds[4]);
  rates.launch = seconds[5];
  return rates;
}

}  // namespace ristretto::bench
