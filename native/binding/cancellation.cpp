#include "cancellation.h"

#include "handles.h"

namespace ristretto::binding {

void CancellationHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "Cancellation", {InstanceMethod<&CancellationHandle::cancel>("cancel")});
  state_of(env).cancellation_class = Napi::Persistent(constructor);
  exports.Set("Cancellation", constructor);
}

}  // namespace ristretto::binding
