// fixedBound(fields): what a fixed convolution's weights say of its largest sums.
#pragma once

#include <napi.h>

namespace ristretto::binding {

void define_fixed_bound(Napi::Env env, Napi::Object exports);

}  // namespace ristretto::binding
