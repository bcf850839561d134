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

Napi::Object choices_object(Napi::Env env, const Choices& choices) {
  Napi::Array names = Napi::Array::New(env);
  for (const char* name : choices.names) names.Set(names.Length(), name);
  Napi::Object object = Napi::Object::New(env);
  object.Set("doc", choices.doc);
  object.Set("names", names);
  return object;
}

// ops: {name: function}. What the binary says of them, from which scripts/generate-native-ops.mjs makes the
// types and which test/structure compares with them: surface: {name: {field: kind}}, docs: the same of lines
// (under "" the op's own), and choices: {type: {doc, names}} with fieldChoices: {name: {field: type}}.
void define_ops(Napi::Env env, Napi::Object exports) {
  Napi::Object ops = Napi::Object::New(env), surface = Napi::Object::New(env), docs = Napi::Object::New(env),
               choices = Napi::Object::New(env), field_choices = Napi::Object::New(env);
  for (BoundOp& op : bind_ops()) {
    Napi::Object kinds = Napi::Object::New(env), lines = Napi::Object::New(env),
                 types = Napi::Object::New(env);
    if (*op.doc) lines.Set("", op.doc);
    for (const FieldDescription& field : op.fields) {
      kinds.Set(field.name, field.kind);
      if (!field.doc.empty()) lines.Set(field.name, field.doc);
      if (!field.choices) continue;
      types.Set(field.name, field.choices->type);
      choices.Set(field.choices->type, choices_object(env, *field.choices));
    }
    surface.Set(op.name, kinds);
    docs.Set(op.name, lines);
    field_choices.Set(op.name, types);
    ops.Set(op.name,
            Napi::Function::New(
                env, [call = std::move(op.call)](const Napi::CallbackInfo& info) { call(info); }, op.name));
  }
  exports.Set("ops", ops);
  exports.Set("surface", surface);
  exports.Set("surfaceDocs", docs);
  exports.Set("surfaceChoices", choices);
  exports.Set("surfaceFieldChoices", field_choices);
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
  define_ops(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(ristretto, init)

}  // namespace ristretto::binding
