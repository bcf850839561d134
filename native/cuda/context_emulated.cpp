// Context, ManagedPool and devices() of the executor's device: host memory, and kernels that have ended when
// their launch returns. There are as many as RISTRETTO_EMULATED_GPU says, 1 to 8: they are for tests.
#include <cstdlib>
#include <cstring>
#include <new>

#include "context.h"
#include "no_cuda.h"  // cmake/cuda.cmake makes it

namespace ristretto::cuda {

namespace {

DeviceInfo describe(int id) {
  DeviceInfo info;
  info.id = id;
  info.name = "emulated";
  info.major = 8;
  info.multiprocessors = 2;
  info.memory_bytes = info.free_bytes = size_t{1} << 32;
  info.shared_bytes = size_t{163} << 10;
  info.l2_bytes = 1 << 20;
  info.warpgroups = true;
  info.managed = true;
  return info;
}

}  // namespace

std::vector<DeviceInfo> devices(std::string& why) {
  const char* wanted = std::getenv("RISTRETTO_EMULATED_GPU");
  const int count = wanted && std::strlen(wanted) == 1 ? wanted[0] - '0' : 0;
  if (count < 1 || count > 8) {
    why = RISTRETTO_NO_CUDA;
    return {};
  }
  std::vector<DeviceInfo> found;
  for (int id = 0; id < count; ++id) found.push_back(describe(id));
  return found;
}

ManagedPool::~ManagedPool() {
  for (const auto& [block, bytes] : given_) std::free(block);
}

void* ManagedPool::allocate(size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  const size_t rounded = (bytes + 255) / 256 * 256;
  void* block =
      limit_ && used_ + rounded > limit_ ? nullptr : std::aligned_alloc(256, rounded ? rounded : 256);
  if (!block)
    throw DeviceMemoryError("cannot allocate " + std::to_string(bytes) + " bytes on GPU " +
                            std::to_string(device_) + ": " + std::to_string(used_) + " are in use");
  std::memset(block, 0, rounded);
  given_[block] = rounded;
  used_ += rounded;
  return block;
}

// Back to the system at once, so that a sanitizer sees who still uses it.
void ManagedPool::keep(void* block, size_t) { std::free(block); }

void ManagedPool::trim() {}

Context::Context(int device, std::shared_ptr<ManagedPool> pool)
    : device_(usable_device(device)), pool_(std::move(pool)) {
  if (!pool_) pool_ = std::make_shared<ManagedPool>(device, 0);
  nan_met_ = new int32_t(0);
}

Context::~Context() { release(); }

void Context::use_here() {}

void Context::release() {
  std::free(scratch_);
  delete nan_met_;
}

void* Context::scratch(size_t bytes) {
  if (bytes > scratch_bytes_) {
    std::free(scratch_);
    scratch_bytes_ = 0;
    ++scratch_moves_;
    scratch_ = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!scratch_)
      throw DeviceMemoryError("cannot allocate " + std::to_string(bytes) + " bytes of scratch memory");
    scratch_bytes_ = bytes;
  }
  // What one launcher left there is nothing that the next may count on.
  carry_out([=, this] { std::memset(scratch_, 0xA5, bytes); });
  return scratch_;
}

void Context::fill_zero(void* memory, size_t bytes) {
  carry_out([=] { std::memset(memory, 0, bytes); });
}
void Context::copy(void* to, const void* from, size_t bytes) {
  carry_out([=] { std::memmove(to, from, bytes); });
}

namespace {

class NotedWork : public Graph {
 public:
  std::vector<std::function<void()>> work;
};

}  // namespace

void Context::carry_out(std::function<void()> work) {
  if (capture_)
    static_cast<NotedWork&>(*capture_).work.push_back(std::move(work));
  else
    work();
}

void Context::begin_capture() { capture_ = std::make_unique<NotedWork>(); }
std::unique_ptr<Graph> Context::end_capture() { return std::move(capture_); }
void Context::launch(const Graph& graph) {
  for (const auto& work : static_cast<const NotedWork&>(graph).work) work();
}

void Context::prefetch(const void*, size_t) {}
void Context::wait() {}

void Context::require_success(int code, const char* kernel, const char* doing) const {
  if (code != 0) fail("kernel ", kernel, ": ", doing, ": refused");
}

}  // namespace ristretto::cuda
