#include "span_kernels.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <cstring>

#include "../format/dynamic_fixed_point.h"
#include "../format/minifloat.h"
#include "../format/power_of_two.h"
#include "target.h"

namespace ristretto {
// GCC 12 warns of the undefined registers that its own intrinsics pass where nothing is masked.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX512)
namespace {
#include "lanes_avx512.h"
#include "trim_kernels.inl"
#include "range_kernels.inl"
}  // namespace
RISTRETTO_TARGET_END

const SpanKernels kAvx512SpanKernels = {"avx512", trim_kernel<Avx512Lanes>, extremes_kernel<Avx512Lanes>,
                                        extremes_outside_kernel<Avx512Lanes>};

}  // namespace ristretto
#endif
