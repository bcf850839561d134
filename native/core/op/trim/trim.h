// trim: a real to the nearest representable real of a number format, element by element.
#pragma once

#include <cstdint>
#include <vector>

#include "../../context.h"
#include "../../dispatch.h"
#include "../../format/trim_format.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

// Throws Error, naming the parameter, unless the format's parameters are within their limits. Every op that
// takes a format checks it; trim_span does not.
void check_trim_format(const TrimFormat& format);

// Trims count contiguous floats; in and out may be the same, but must not overlap otherwise. Returns false
// when a NaN was met (its element is left NaN; the caller names the blob in its error). Runs on the calling
// thread, with the kernels of `features`. format.kind none copies.
bool trim_span(const float* in, float* out, int64_t count, const TrimFormat& format,
               const RandomStream& random, const CpuFeatures& features);

// The definition: one element after the other. trim_span's results are equal to it, bit for bit.
bool trim_span_ref(const float* in, float* out, int64_t count, const TrimFormat& format,
                   const RandomStream& random);

struct TrimArguments {
  Tensor src;
  Tensor dst;  // of src's shape; may be src itself
  TrimFormat format;
  RandomStream random;  // of a stochastic trim; first_element is that of the first image

  template <class F>
  static void fields(F& field) {
    using A = TrimArguments;
    field("src", &A::src);
    field("dst", &A::dst).doc("May be src.");
    field("format", &A::format);
    field("random", &A::random);
  }
};

struct Trim {
  using Arguments = TrimArguments;
  static constexpr const char* name = "trim";
  // Throws Error when the shapes differ or the format's parameters are beyond their limits.
  static void check(const Arguments& arguments);
  // On all of the context's threads. Throws Error when src holds a NaN.
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

}  // namespace ristretto
