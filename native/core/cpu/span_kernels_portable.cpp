#include <cstring>

#include "../format/dynamic_fixed_point.h"
#include "../format/minifloat.h"
#include "../format/power_of_two.h"
#include "span_kernels.h"
#include "target.h"

namespace ristretto {
namespace {
#include "lanes_portable.h"
#include "trim_kernels.inl"
#include "range_kernels.inl"
}  // namespace

const SpanKernels kPortableSpanKernels = {"portable", trim_kernel<PortableLanes>,
                                          extremes_kernel<PortableLanes>,
                                          extremes_outside_kernel<PortableLanes>};

}  // namespace ristretto
