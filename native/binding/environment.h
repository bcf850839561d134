// What belongs to one JavaScript environment (the main thread's, or a worker's) and must end with it: its
// streams, and the promises that their threads settle. An environment may end at any time, also while
// JavaScript runs (Worker.terminate()): then every stream is stopped before anything else is torn down.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace ristretto::binding {

class StreamHandle;

// A promise that another thread settles. Made and deleted on the JavaScript thread.
struct PendingPromise {
  PendingPromise(Napi::Env env, Napi::Object keep) : deferred(env), keep(Napi::Persistent(std::move(keep))) {}
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference keep;  // what must not be collected until then
  // Why it is rejected; empty: it is resolved.
  std::string error;
  std::string label;  // the layer that failed, where there is one
};

// `message` as a JavaScript Error whose property `layer` is `label`, where there is one.
Napi::Error layer_error(Napi::Env env, const std::string& message, const std::string& label);

class Environment {
 public:
  static std::shared_ptr<Environment> make(Napi::Env env);
  explicit Environment(Napi::Env env);

  // On the JavaScript thread. The stream is stopped when the environment ends.
  void add(StreamHandle* stream) { streams_.insert(stream); }
  void remove(StreamHandle* stream) { streams_.erase(stream); }

  // On the JavaScript thread. Node stays alive until the promise is settled.
  PendingPromise* promise(Napi::Env env, Napi::Object keep);
  // On any thread, once for each promise.
  void settle(PendingPromise* promise);

 private:
  static void settle_here(Napi::Env env, Napi::Function, Environment* environment, PendingPromise* promise);
  using Queue = Napi::TypedThreadSafeFunction<Environment, PendingPromise, settle_here>;
  void end();

  std::set<StreamHandle*> streams_;    // JavaScript thread only
  std::set<PendingPromise*> pending_;  // JavaScript thread only
  std::mutex mutex_;
  bool ended_ = false;  // under the mutex: from then on the queue is Node's to close
  Queue queue_;
};

}  // namespace ristretto::binding
