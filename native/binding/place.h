// Where a stream's operations run: on the processor, and on a device where the stream has one. An op with
// kernels for the device is launched there; any other waits for the device and runs on the processor, on the
// same memory.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/context.h"
#include "core/error.h"
#include "handles.h"
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
  // Throws Error when the device chosen is not there.
  Place(int threads, const CpuFeatures& features, const DeviceChoice& device) : cpu_(threads, features) {
    if (device.id < 0) return;
    device_ = std::make_unique<cuda::Context>(device.id,
                                              std::dynamic_pointer_cast<cuda::ManagedPool>(device.memory));
    device_->math = device.math;
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
      if (capturing_) throw NotCaptured();
      fell_back_ = true;
      wait();
    }
    Op::run(cpu_, arguments);
  }

  // Runs all of a recording through `run_all`, which calls run() for each operation and says whether all of
  // them ran. On a device the second time is captured, and launched as one from then on, where every
  // operation has kernels.
  template <class RunAll>
  void run_recorded(const std::shared_ptr<const void>& recording, const RunAll& run_all) {
    if (!device_) return void(run_all());
    forget_dropped();
    Captured& captured = captured_[recording.get()];
    captured.recording = recording;
    if (captured.graph && captured.scratch_moves == device_->scratch_moves()) {
      device_->launch(*captured.graph);
      under_way_ = true;
      return;
    }
    captured.graph = nullptr;
    if (captured.runs++ == 0 || captured.on_processor) {
      fell_back_ = false;
      run_all();
      captured.on_processor = fell_back_;
      return;
    }
    captured.scratch_moves = device_->scratch_moves();
    capture(captured, run_all);
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
  struct NotCaptured {};
  struct Captured {
    std::weak_ptr<const void> recording;
    std::unique_ptr<cuda::Graph> graph;
    int runs = 0, scratch_moves = 0;
    bool on_processor = false;  // some of it
  };

  template <class RunAll>
  void capture(Captured& captured, const RunAll& run_all) {
    device_->begin_capture();
    capturing_ = true;
    bool whole = true, failed = false;
    try {
      failed = !run_all();
    } catch (const NotCaptured&) {
      whole = false;
    } catch (...) {
      capturing_ = false;
      device_->end_capture();
      throw;
    }
    capturing_ = false;
    captured.graph = device_->end_capture();
    if (failed) {
      captured.graph = nullptr;
      return;
    }
    if (whole && captured.graph && captured.scratch_moves == device_->scratch_moves()) {
      device_->launch(*captured.graph);
      under_way_ = true;
      return;
    }
    captured.graph = nullptr;
    captured.on_processor = true;
    run_all();
  }

  void forget_dropped() {
    std::erase_if(captured_, [](const auto& entry) { return entry.second.recording.expired(); });
  }

  Context cpu_;
  std::unique_ptr<cuda::Context> device_;
  std::map<const void*, Captured> captured_;
  bool under_way_ = false, capturing_ = false;
  bool fell_back_ = false;  // an op ran on the processor
};

#else

class Place {
 public:
  Place(int threads, const CpuFeatures& features, const DeviceChoice&) : cpu_(threads, features) {}
  Context& cpu() { return cpu_; }
  bool has_device() const { return false; }
  void use_here() {}
  void begin_op(const std::string&) {}
  template <class Op>
  void run(const typename Op::Arguments& arguments) {
    Op::run(cpu_, arguments);
  }
  template <class RunAll>
  void run_recorded(const std::shared_ptr<const void>&, const RunAll& run_all) {
    run_all();
  }
  void wait() {}

 private:
  Context cpu_;
};

#endif

}  // namespace ristretto::binding
