// Where a stream's operations run: on the processor, and on a device where the stream has one. An op with
// kernels for the device is launched there; any other waits for the device and runs on the processor, on the
// same memory.
#pragma once

#include <memory>
#include <string>

#include "core/context.h"
#include "core/error.h"
#include "core/memory_source.h"
#if defined(RISTRETTO_CUDA)
#include "cuda/ops.h"
#endif

namespace ristretto::binding {

// What a device met after the launch; its message names the operation already.
class DeferredError : public Error {
 public:
  using Error::Error;
};

#if defined(RISTRETTO_CUDA)

class Place {
 public:
  // Without a device where `device` is negative. Throws Error when there is no such device.
  Place(int threads, const CpuFeatures& features, int device, const std::shared_ptr<MemorySource>& memory)
      : cpu_(threads, features) {
    if (device >= 0)
      device_ = std::make_unique<cuda::Context>(device, std::dynamic_pointer_cast<cuda::ManagedPool>(memory));
  }

  Context& cpu() { return cpu_; }
  bool has_device() const { return device_ != nullptr; }
  // On the thread that runs operations, before the first.
  void use_here() {
    if (device_) device_->use_here();
  }
  void begin_op(const std::string& label) {
    if (device_) device_->begin_op(label);
  }

  template <class Op>
  void run(const typename Op::Arguments& arguments) {
    if (device_) {
      if (cuda::run(*device_, arguments)) {
        under_way_ = true;
        return;
      }
      wait();
    }
    Op::run(cpu_, arguments);
  }

  // For what is under way on the device. Throws DeferredError when some of it failed.
  void wait() {
    if (!under_way_) return;
    under_way_ = false;
    try {
      device_->synchronize();
    } catch (const Error& e) {
      throw DeferredError(e.what());
    }
  }

 private:
  Context cpu_;
  std::unique_ptr<cuda::Context> device_;
  bool under_way_ = false;
};

#else

class Place {
 public:
  Place(int threads, const CpuFeatures& features, int, const std::shared_ptr<MemorySource>&)
      : cpu_(threads, features) {}
  Context& cpu() { return cpu_; }
  bool has_device() const { return false; }
  void use_here() {}
  void begin_op(const std::string&) {}
  template <class Op>
  void run(const typename Op::Arguments& arguments) {
    Op::run(cpu_, arguments);
  }
  void wait() {}

 private:
  Context cpu_;
};

#endif

}  // namespace ristretto::binding
