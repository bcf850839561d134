#include "span_kernels.h"

#if defined(__x86_64__)
#include "intrinsics.h"

#include <cstring>

#include "../format/dynamic_fixed_point.h"
#include "../format/minifloat.h"
#include "../format/power_of_two.h"
#include "target.h"

namespace ristretto {
RISTRETTO_TARGET_BEGIN(RISTRETTO_AVX2)
namespace {
#include "lanes_avx2.h"
#include "trim_kernels.inl"
#include "range_kernels.inl"
}  // namespace
RISTRETTO_TARGET_END

const SpanKernels kAvx2SpanKernels = {"avx2", trim_kernel<Avx2Lanes>, extremes_kernel<Avx2Lanes>,
                                      extremes_outside_kernel<Avx2Lanes>};

}  // namespace ristretto
#endif
