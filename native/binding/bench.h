// benchConvolutionFixed(problem, options), benchSpan(problem, options): promises of what native/bench
// measured.
#pragma once

#include <napi.h>

namespace ristretto::binding {

void define_bench(Napi::Env env, Napi::Object exports);

}  // namespace ristretto::binding
