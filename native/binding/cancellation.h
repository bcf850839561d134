// new Cancellation(): a mark on operations of a stream. Operations that were enqueued while it was the
// stream's `cancellation` are skipped, and left in the middle, from cancel() on; a sync that carries it
// rejects then.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>

namespace ristretto::binding {

using CancelFlag = std::atomic<bool>;

class CancellationHandle : public Napi::ObjectWrap<CancellationHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit CancellationHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CancellationHandle>(info) {}
  const std::shared_ptr<CancelFlag>& flag() const { return flag_; }

 private:
  void cancel(const Napi::CallbackInfo&) { flag_->store(true); }
  std::shared_ptr<CancelFlag> flag_ = std::make_shared<CancelFlag>(false);
};

}  // namespace ristretto::binding
