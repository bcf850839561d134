// A point in a context's stream, and when the device passed it: what device work is timed with.
#pragma once

#include "context.h"

namespace ristretto::cuda {

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Behind everything launched so far.
  void record(Context& context);
  // Waits until the device has passed this event. Both must have been recorded, `start` first.
  double seconds_since(const Event& start) const;

 private:
  void* event_ = nullptr;  // a cudaEvent_t
  double seconds_ = 0;     // the executor's, by the host's clock
};

}  // namespace ristretto::cuda
