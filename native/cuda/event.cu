#include "event.h"

#include <cuda_runtime.h>

namespace ristretto::cuda {

namespace {

void check(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  fail(doing, ": ", cudaGetErrorString(error), " (", cudaGetErrorName(error), ")");
}

}  // namespace

Event::Event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "making an event");
  event_ = event;
}

Event::~Event() { cudaEventDestroy(static_cast<cudaEvent_t>(event_)); }

void Event::record(Context& context) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(event_), static_cast<cudaStream_t>(context.stream())),
        "recording an event");
}

double Event::seconds_since(const Event& start) const {
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(event_)), "a kernel on the device");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(start.event_),
                             static_cast<cudaEvent_t>(event_)),
        "reading an event");
  return 1e-3 * double(milliseconds);
}

}  // namespace ristretto::cuda
