// Work on Node's thread pool whose result settles a promise.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace ristretto::binding {

// Runs `work` off the JavaScript thread, then `result` on it; a std::exception from `work` rejects the
// promise with its message. `keep`: a JavaScript value that must not be collected meanwhile.
class Background : public Napi::AsyncWorker {
 public:
  static Napi::Promise start(Napi::Env env, Napi::Value keep, std::function<void()> work,
                             std::function<Napi::Value(Napi::Env)> result) {
    auto* worker = new Background(env, std::move(work), std::move(result));
    if (keep.IsObject()) worker->keep_ = Napi::Persistent(keep.As<Napi::Object>());
    Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    return promise;
  }

 protected:
  void Execute() override { work_(); }
  void OnOK() override {
    try {
      deferred_.Resolve(result_(Env()));
    } catch (const Napi::Error& e) {
      deferred_.Reject(e.Value());
    }
  }
  void OnError(const Napi::Error& e) override { deferred_.Reject(e.Value()); }

 private:
  Background(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result)
      : Napi::AsyncWorker(env, "ristretto"),
        work_(std::move(work)),
        result_(std::move(result)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> result_;
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference keep_;
};

}  // namespace ristretto::binding
