// What a kernel's launcher may use on a device: its stream, scratch memory, what the device has. One per
// stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/memory_source.h"
#include "lanes.h"
#include "product_math.h"

namespace ristretto::cuda {

// A device as it describes itself. The emulated one stands for a device of the executor.
struct DeviceInfo {
  int id = 0;
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 1;
  size_t memory_bytes = 0, free_bytes = 0;
  size_t shared_bytes = 0;  // most dynamic shared memory of a block
  int l2_bytes = 0;
  // Has products of warp groups (warpgroup.h), and this build has code for them.
  bool warpgroups = false;
  // Memory that host and device share, both at once: what blobs live in.
  bool managed = false;
  std::string unusable;  // why, or empty
  int capability() const { return 10 * major + minor; }
};

// What a kernel can meet and not go on with.
enum class Fault : int32_t { nan, label, nan_to_code, weights_bits, row };

// How a kernel says so: the op's number and the fault, where none was noted before.
struct NanReport {
  static constexpr int kFaultShift = 24;
  int32_t* first;  // managed memory; 0: none so far
  int32_t op;
  RISTRETTO_DEVICE void tell(Fault fault = Fault::nan) const {
    atomic_first(first, op | int32_t(fault) << kFaultShift);
  }
};

// The devices that the driver shows; empty, with the reason in `why`, where there is none.
std::vector<DeviceInfo> devices(std::string& why);
// One of them. Throws Error when it is not there or cannot be used.
DeviceInfo usable_device(int id);

// Out of device memory. The process goes on, and so does the device.
class DeviceMemoryError : public MemoryError {
 public:
  using MemoryError::MemoryError;
};

// Memory that host and device address alike; pages are where they were last used. Freed blocks are kept and
// given out again; `limit` (0: none) holds for what is given out.
class ManagedPool : public MemorySource {
 public:
  ManagedPool(int device, size_t limit) : device_(device), limit_(limit) {}
  ~ManagedPool() override;
  ManagedPool(const ManagedPool&) = delete;
  ManagedPool& operator=(const ManagedPool&) = delete;

  // 256-byte aligned and zero. Throws DeviceMemoryError.
  void* allocate(size_t bytes) override;
  void free(void* block) override;
  size_t used() const;
  // Gives blocks that nobody uses back to the system.
  void trim();

 private:
  // Takes back what was given; the lock is held.
  void keep(void* block, size_t bytes);
  const int device_;
  const size_t limit_;
  size_t used_ = 0;
  mutable std::mutex mutex_;
  std::multimap<size_t, void*> kept_;  // by size
  std::map<void*, size_t> given_;
};

// What was launched between begin_capture() and end_capture(), to be launched again in one call: the same
// kernels on the same memory.
class Graph {
 public:
  virtual ~Graph() = default;
};

class Context {
 public:
  // Throws Error when there is no such device, or when it cannot be used. Without a pool it makes its own.
  explicit Context(int device, std::shared_ptr<ManagedPool> pool = nullptr);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const DeviceInfo& device() const { return device_; }
  // Where memory for both host and device comes from: packed weights, say.
  const std::shared_ptr<ManagedPool>& memory() const { return pool_; }
  // Of the launches that follow.
  Math math = Math::fp32;
  // What a launch takes.
  Math usable_math() const { return device_.capability() >= 80 ? math : Math::fp32; }
  // Makes the device the calling thread's, which will launch kernels.
  void use_here();
  // A cudaStream_t.
  void* stream() const { return stream_; }

  // Device memory that belongs to the launcher that runs now; contents undefined, 256-byte aligned.
  void* scratch(size_t bytes);
  // Changes when scratch() has moved: graphs captured before point to what is gone.
  int scratch_moves() const { return scratch_moves_; }
  // Names what is launched next, in errors that only synchronize() can meet.
  void begin_op(const std::string& label);
  // For kernels of the op that began last.
  NanReport nan_report() const { return {nan_met_, op_}; }

  void fill_zero(void* memory, size_t bytes);
  void copy(void* to, const void* from, size_t bytes);
  // Moves pages that the processor wrote to the device, ahead of the kernel that reads them: in one go that
  // is several times faster than page by page as they are missed. A hint, and none while a capture is under
  // way.
  void prefetch(const void* memory, size_t bytes);

  // From here to end_capture() launches are noted and not carried out. scratch() must not move meanwhile:
  // what is captured has run before.
  void begin_capture();
  // Null where something could not be captured; everything noted is dropped then.
  std::unique_ptr<Graph> end_capture();
  void launch(const Graph& graph);

  // Waits for everything launched so far. Throws Error when something failed, or when a kernel met a
  // fault, which names the op.
  void synchronize();

  // `code` is a cudaError_t; throws Error naming the kernel unless it is 0.
  void require_success(int code, const char* kernel, const char* doing) const;
  // Of the executor's device: does the work, or notes it while a capture is under way.
  void carry_out(std::function<void()> work);
  // The order of threads in the executor's next launch.
  uint32_t next_seed() { return ++seed_; }

 private:
  void release();
  void wait();    // for the stream
  void settle();  // throws what kernels reported
  DeviceInfo device_;
  std::shared_ptr<ManagedPool> pool_;
  void* stream_ = nullptr;
  void* scratch_ = nullptr;
  size_t scratch_bytes_ = 0;
  int32_t* nan_met_ = nullptr;
  std::vector<std::string> labels_;  // op n has the label n - 1
  std::map<std::string, int32_t> ops_;
  int32_t op_ = 0;
  int scratch_moves_ = 0;
  uint32_t seed_ = 0;
  std::unique_ptr<Graph> capture_;  // the executor's
};

}  // namespace ristretto::cuda
