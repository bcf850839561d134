// LMDB databases for JavaScript: a reader (the core's own, which survives damaged files) and a writer
// (LMDB's).
#pragma once

#include <napi.h>

namespace ristretto::binding {

void define_lmdb(Napi::Env env, Napi::Object exports);

}  // namespace ristretto::binding
