#include "environment.h"

#include <vector>

#include "stream.h"

namespace ristretto::binding {

Napi::Error layer_error(Napi::Env env, const std::string& message, const std::string& label) {
  Napi::Error error = Napi::Error::New(env, message);
  if (!label.empty()) error.Set("layer", Napi::String::New(env, label));
  return error;
}

Environment::Environment(Napi::Env env) {
  queue_ = Queue::New(env, "ristretto", 0, 1, this);
  queue_.Unref(env);
}

std::shared_ptr<Environment> Environment::make(Napi::Env env) {
  auto environment = std::make_shared<Environment>(env);
  // Node runs hooks in the reverse order: this one before the queue's own, so the queue is there until the
  // streams' threads, which use it, have ended; and before finalizers, which find their streams stopped.
  auto* held = new std::shared_ptr<Environment>(environment);
  napi_add_env_cleanup_hook(
      env,
      [](void* data) {
        auto* environment = static_cast<std::shared_ptr<Environment>*>(data);
        (*environment)->end();
        delete environment;
      },
      held);
  return environment;
}

void Environment::end() {
  for (StreamHandle* stream : std::vector<StreamHandle*>(streams_.begin(), streams_.end())) stream->stop();
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  for (PendingPromise* promise : pending_) delete promise;
  pending_.clear();
}

PendingPromise* Environment::promise(Napi::Env env, Napi::Object keep) {
  auto* promise = new PendingPromise(env, std::move(keep));
  if (pending_.empty()) queue_.Ref(env);
  pending_.insert(promise);
  return promise;
}

void Environment::settle(PendingPromise* promise) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!ended_) queue_.NonBlockingCall(promise);
}

void Environment::settle_here(Napi::Env env, Napi::Function, Environment* environment,
                              PendingPromise* promise) {
  // Without an environment the queue is being emptied at its end: end() has deleted the promises.
  if (env == nullptr || environment->pending_.erase(promise) == 0) return;
  std::unique_ptr<PendingPromise> owned(promise);
  if (environment->pending_.empty()) environment->queue_.Unref(env);
  Napi::HandleScope scope(env);
  try {
    if (owned->error.empty())
      owned->deferred.Resolve(env.Undefined());
    else
      owned->deferred.Reject(layer_error(env, owned->error, owned->label).Value());
  } catch (const Napi::Error&) {
    // A worker that is being terminated runs no JavaScript any more: nobody is left to hear of it.
  }
}

}  // namespace ristretto::binding
