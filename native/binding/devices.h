// devices(): what GPUs are there, and why none; the class Device (handles.h).
#pragma once

#include <napi.h>

namespace ristretto::binding {

void define_devices(Napi::Env env, Napi::Object exports);

}  // namespace ristretto::binding
