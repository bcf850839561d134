// The device that a test runs on: the executor's, or the machine's first GPU, without which the test is
// skipped.
#pragma once

#include <cstdlib>
#include <cstring>
#include <vector>

#include "../native/check.h"
#include "core/tensor_view.h"
#include "cuda/context.h"

namespace ristretto::cuda {

inline Context& test_context() {
  static Context* context = [] {
    setenv("RISTRETTO_EMULATED_GPU", "1", 1);
    std::string why;
    const std::vector<DeviceInfo> all = devices(why);
    if (all.empty()) check::skip("no GPU: ", why);
    if (!all[0].unusable.empty()) check::skip("GPU 0 cannot be used: ", all[0].unusable);
    return new Context(0);
  }();
  return *context;
}

// An array in memory that host and device share, freed with it. The executor's, which is the host's, lies
// between pages that may not be touched.
template <class T>
class Shared {
 public:
  explicit Shared(size_t count) : count_(count) {
    if (on_executor()) {
      host_.resize(host_room(count ? count : 1));
      data_ = host_.data();
    } else {
      data_ = static_cast<T*>(pool().allocate((count ? count : 1) * sizeof(T)));
    }
  }
  explicit Shared(const guarded::vector<T>& values) : Shared(values.size()) {
    if (count_) std::memcpy(static_cast<void*>(data_), values.data(), count_ * sizeof(T));
  }
  ~Shared() {
    if (!on_executor()) pool().free(data_);
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T* data() const { return data_; }
  size_t size() const { return count_; }
  T& operator[](size_t i) const { return data_[i]; }
  T* begin() const { return data_; }
  T* end() const { return data_ + count_; }

 private:
  // A device's memory ends with a word, of which kernels may read what lies behind the last byte. So do
  // pages; the sanitizer has to be told.
  static size_t host_room(size_t count) {
#if defined(GUARDED_BY_SANITIZER)
    constexpr size_t per_word = sizeof(T) < sizeof(uint32_t) ? sizeof(uint32_t) / sizeof(T) : 1;
    return (count + per_word - 1) / per_word * per_word;
#else
    return count;
#endif
  }
  static bool on_executor() { return test_context().device().name == "emulated"; }
  static ManagedPool& pool() {
    static ManagedPool pool(0, 0);
    return pool;
  }
  size_t count_;
  guarded::vector<T> host_;
  T* data_;
};

}  // namespace ristretto::cuda
