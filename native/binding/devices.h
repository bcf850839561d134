// devices(): what GPUs are there, and why none; useDevice(id, memoryLimit): what is made from then on, memory
// and streams, belongs to that GPU (null: to the processor again).
#pragma once

#include <napi.h>

namespace ristretto::binding {

void define_devices(Napi::Env env, Napi::Object exports);

}  // namespace ristretto::binding
