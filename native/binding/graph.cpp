#include "graph.h"

#include "handles.h"

namespace ristretto::binding {

// Not exported: only a stream's endCapture makes graphs.
void GraphHandle::define(Napi::Env env) {
  state_of(env).graph_class =
      Napi::Persistent(DefineClass(env, "Graph", {InstanceMethod<&GraphHandle::free>("free")}));
}

Napi::Value GraphHandle::make(Napi::Env env, std::shared_ptr<const Recording> recording) {
  Napi::Object object = state_of(env).graph_class.New({});
  Unwrap(object)->recording_ = std::move(recording);
  return object;
}

GraphHandle::GraphHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<GraphHandle>(info), recording_(std::make_shared<const Recording>()) {}

void GraphHandle::free(const Napi::CallbackInfo&) { recording_ = std::make_shared<const Recording>(); }

}  // namespace ristretto::binding
