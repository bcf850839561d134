// The C interface's structs as core's views and formats; everything that core takes for granted is checked
// here.
#pragma once

#include "core/code_tensor.h"
#include "core/context.h"
#include "core/epilogue.h"
#include "core/format/trim_format.h"
#include "ristretto.h"

struct ristretto_context {
  ristretto::Context core;
};

namespace ristretto::c_api {

// All throw Error, naming the argument `name`, where the struct makes no sense.
Context& context_of(ristretto_context* context);
CodeTensor codes_of(const ristretto_codes* codes, const char* name);
Tensor floats_of(const ristretto_floats* floats, const char* name);
// `count` floats.
Tensor span_of(const float* data, int64_t count, const char* name);
DataType code_type_of(ristretto_code_type type, const char* name);
Rounding rounding_of(ristretto_rounding rounding);
TrimFormat format_of(const ristretto_format* format);
CodeFormat code_format_of(const ristretto_code_format& format, const char* name);

inline int64_t one_if_zero(int64_t number) { return number == 0 ? 1 : number; }

// a * b of numbers that are not negative; throws Error beyond 2^62.
int64_t product(int64_t a, int64_t b, const char* name);

}  // namespace ristretto::c_api
