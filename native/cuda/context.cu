// Context, ManagedPool and devices() on the CUDA runtime, which is linked statically: without a driver there
// are no devices, and no error.
#include "context.h"

#include <cuda_runtime.h>

namespace ristretto::cuda {

namespace {

std::string text_of(cudaError_t error) {
  return std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")";
}

void check(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // it is told once
  fail(doing, ": ", text_of(error));
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "device attribute");
  return value;
}

DeviceInfo describe(int id) {
  DeviceInfo info;
  info.id = id;
  cudaDeviceProp properties;
  const cudaError_t error = cudaGetDeviceProperties(&properties, id);
  if (error != cudaSuccess) {
    cudaGetLastError();
    info.unusable = text_of(error);
    return info;
  }
  info.name = properties.name;
  info.major = properties.major;
  info.minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  info.memory_bytes = info.free_bytes = properties.totalGlobalMem;
  info.shared_bytes = properties.sharedMemPerBlockOptin;
  info.l2_bytes = properties.l2CacheSize;
#if defined(RISTRETTO_CUDA_90A)
  info.warpgroups = info.capability() == 90;
#endif
  info.managed = attribute(cudaDevAttrConcurrentManagedAccess, id) != 0;
  if (info.capability() < 75)
    info.unusable = "compute capability " + std::to_string(info.major) + "." + std::to_string(info.minor) +
                    " is below 7.5";
  else if (!info.managed)
    info.unusable = "host and device cannot use the same memory at once (concurrentManagedAccess is 0)";
  return info;
}

}  // namespace

std::vector<DeviceInfo> devices(std::string& why) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  std::vector<DeviceInfo> found;
  if (error != cudaSuccess) {
    cudaGetLastError();
    why = text_of(error);
    return found;
  }
  for (int id = 0; id < count; ++id) found.push_back(describe(id));
  if (found.empty()) why = "the driver shows no device";
  return found;
}

ManagedPool::~ManagedPool() {
  trim();
  for (const auto& [block, bytes] : given_) cudaFree(block);
}

void* ManagedPool::allocate(size_t bytes) {
  // A few sizes, so that blocks fit again: eighths of powers of two, from 512 bytes on.
  size_t step = 512;
  while (step * 8 < bytes) step *= 2;
  const size_t rounded = (bytes + step - 1) / step * step;
  std::lock_guard<std::mutex> lock(mutex_);
  if (limit_ && used_ + rounded > limit_)
    throw DeviceMemoryError("cannot allocate " + std::to_string(bytes) + " bytes on GPU " +
                            std::to_string(device_) + ": " + std::to_string(used_) + " of " +
                            std::to_string(limit_) + " are in use");
  // The thread may have made memory for another device before.
  check(cudaSetDevice(device_), "choosing the device");
  void* block = nullptr;
  if (const auto kept = kept_.find(rounded); kept != kept_.end()) {
    block = kept->second;
    kept_.erase(kept);
  } else {
    cudaError_t error = cudaMallocManaged(&block, rounded, cudaMemAttachGlobal);
    if (error == cudaErrorMemoryAllocation && !kept_.empty()) {
      cudaGetLastError();
      for (const auto& [size, unused] : kept_) cudaFree(unused);
      kept_.clear();
      error = cudaMallocManaged(&block, rounded, cudaMemAttachGlobal);
    }
    if (error != cudaSuccess) {
      cudaGetLastError();
      throw DeviceMemoryError("cannot allocate " + std::to_string(bytes) + " bytes on GPU " +
                              std::to_string(device_) + ": " + text_of(error));
    }
    // Blobs belong on the device; the host's look at one moves the pages it reads, and back.
    cudaMemLocation place{};
    place.type = cudaMemLocationTypeDevice;
    place.id = device_;
    cudaMemAdvise(block, rounded, cudaMemAdviseSetPreferredLocation, place);
    cudaGetLastError();
  }
  cudaError_t error = cudaMemset(block, 0, rounded);
  if (error == cudaSuccess) error = cudaStreamSynchronize(nullptr);
  if (error != cudaSuccess) {
    kept_.emplace(rounded, block);
    check(error, "clearing memory");
  }
  given_[block] = rounded;
  used_ += rounded;
  return block;
}

void ManagedPool::keep(void* block, size_t bytes) { kept_.emplace(bytes, block); }

void ManagedPool::trim() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [size, block] : kept_) cudaFree(block);
  kept_.clear();
}

Context::Context(int device, std::shared_ptr<ManagedPool> pool)
    : device_(usable_device(device)), pool_(std::move(pool)) {
  if (!pool_) pool_ = std::make_shared<ManagedPool>(device, 0);
  use_here();
  try {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    stream_ = stream;
    check(cudaMallocManaged(&nan_met_, sizeof(int32_t), cudaMemAttachGlobal), "allocating a report");
    *nan_met_ = 0;
  } catch (...) {
    release();
    throw;
  }
}

Context::~Context() { release(); }

void Context::use_here() { check(cudaSetDevice(device_.id), "choosing the device"); }

void Context::release() {
  if (stream_) {
    cudaStreamSynchronize(static_cast<cudaStream_t>(stream_));
    cudaStreamDestroy(static_cast<cudaStream_t>(stream_));
  }
  cudaFree(scratch_);
  cudaFree(nan_met_);
  cudaGetLastError();
}

void* Context::scratch(size_t bytes) {
  if (bytes <= scratch_bytes_) return scratch_;
  wait();
  check(cudaFree(scratch_), "freeing scratch memory");
  scratch_ = nullptr;
  scratch_bytes_ = 0;
  const cudaError_t error = cudaMalloc(&scratch_, bytes);
  if (error != cudaSuccess) {
    cudaGetLastError();
    scratch_ = nullptr;
    throw DeviceMemoryError("cannot allocate " + std::to_string(bytes) + " bytes of scratch memory on GPU " +
                            std::to_string(device_.id) + ": " + text_of(error));
  }
  scratch_bytes_ = bytes;
  ++scratch_moves_;
  return scratch_;
}

namespace {

class DeviceGraph : public Graph {
 public:
  explicit DeviceGraph(cudaGraphExec_t graph) : graph(graph) {}
  ~DeviceGraph() override { cudaGraphExecDestroy(graph); }
  const cudaGraphExec_t graph;
};

}  // namespace

void Context::begin_capture() {
  check(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream_), cudaStreamCaptureModeRelaxed),
        "beginning a capture");
}

std::unique_ptr<Graph> Context::end_capture() {
  cudaGraph_t captured = nullptr;
  cudaGraphExec_t graph = nullptr;
  cudaError_t error = cudaStreamEndCapture(static_cast<cudaStream_t>(stream_), &captured);
  if (error == cudaSuccess) error = cudaGraphInstantiate(&graph, captured, 0);
  if (captured) cudaGraphDestroy(captured);
  if (error == cudaSuccess) return std::make_unique<DeviceGraph>(graph);
  cudaGetLastError();
  return nullptr;
}

void Context::launch(const Graph& graph) {
  check(cudaGraphLaunch(static_cast<const DeviceGraph&>(graph).graph, static_cast<cudaStream_t>(stream_)),
        "launching a graph");
}

void Context::fill_zero(void* memory, size_t bytes) {
  check(cudaMemsetAsync(memory, 0, bytes, static_cast<cudaStream_t>(stream_)), "filling with zeros");
}

void Context::copy(void* to, const void* from, size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, static_cast<cudaStream_t>(stream_)), "copying");
}

void Context::prefetch(const void* memory, size_t bytes) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  cudaStreamIsCapturing(static_cast<cudaStream_t>(stream_), &status);
  if (bytes == 0 || status != cudaStreamCaptureStatusNone) return;
  cudaMemLocation place{};
  place.type = cudaMemLocationTypeDevice;
  place.id = device_.id;
  cudaMemPrefetchAsync(memory, bytes, place, 0, static_cast<cudaStream_t>(stream_));
  cudaGetLastError();  // without the hint pages move one by one
}

void Context::wait() {
  check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream_)), "a kernel on the device");
}

void Context::require_success(int code, const char* kernel, const char* doing) const {
  if (code == cudaSuccess) return;
  cudaGetLastError();
  fail("kernel ", kernel, ": ", doing, ": ", text_of(cudaError_t(code)));
}

}  // namespace ristretto::cuda
