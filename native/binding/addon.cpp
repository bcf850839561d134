// The addon's entry: registrations only.
#include <napi.h>

#include "bench.h"
#include "cancellation.h"
#include "code_tensor.h"
#include "convert_image.h"
#include "core/cpu/features.h"
#include "devices.h"
#include "environment.h"
#include "fixed_bound.h"
#include "graph.h"
#include "handles.h"
#include "lmdb.h"
#include "ops.h"
#include "stream.h"

namespace ristretto::binding {

namespace {

Napi::Value cpu_features(const Napi::CallbackInfo& info) {
  const CpuFeatures f = detect_cpu_features();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("avx2", f.avx2);
  object.Set("avxVnni", f.avx_vnni);
  object.Set("avx512", f.avx512);
  object.Set("avx512Vnni", f.avx512_vnni);
  object.Set("neon", f.neon);
  object.Set("neonDot", f.neon_dot);
  return object;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new EnvironmentState());
  state_of(env).environment = Environment::make(env);
  BufferHandle::define(env, exports);
  TensorHandle::define(env, exports);
  CodeTensorHandle::define(env, exports);
  PackedHandle::define(env, exports);
  GraphHandle::define(env);
  CancellationHandle::define(env, exports);
  StreamHandle::define(env, exports);
  define_lmdb(env, exports);
  define_bench(env, exports);
  define_convert_image(env, exports);
  define_fixed_bound(env, exports);
  define_devices(env, exports);
  exports.Set("cpuFeatures", Napi::Function::New(env, cpu_features));
  // ops: {name: function}, surface: {name: {field: kind}} (what test/structure compares with lib/native).
  Napi::Object ops = Napi::Object::New(env), surface = Napi::Object::New(env);
  for (const auto make : op_table()) {
    BoundOp bound = make();
    Napi::Object fields = Napi::Object::New(env);
    for (const auto& [field, kind] : bound.fields) fields.Set(field, kind);
    surface.Set(bound.name, fields);
    ops.Set(
        bound.name,
        Napi::Function::New(
            env, [call = std::move(bound.call)](const Napi::CallbackInfo& info) { call(info); }, bound.name));
  }
  exports.Set("ops", ops);
  exports.Set("surface", surface);
  return exports;
}

}  // namespace

NODE_API_MODULE(ristretto, init)

}  // namespace ristretto::binding
