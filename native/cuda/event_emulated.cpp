#include "event.h"

#include <chrono>

namespace ristretto::cuda {

Event::Event() = default;
Event::~Event() = default;

void Event::record(Context&) {
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Event::seconds_since(const Event& start) const { return seconds_ - start.seconds_; }

}  // namespace ristretto::cuda
