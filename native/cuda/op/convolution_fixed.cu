// Chooses how a fixed-point convolution is computed on a device.
#include "convolution_fixed.h"

#include "cuda/ops.h"

namespace ristretto::cuda {

bool run(Context& context, const ConvolutionFixedArguments& a) {
  if (a.spread_h != 1 || a.spread_w != 1) return false;
  if (a.dst.images == 0) return true;
  // Groups of a few outputs leave most columns of a tile empty.
  const bool narrow_groups = a.group > 1 && a.dst.channels / a.group <= 4;
  if (!narrow_groups && convolution_fixed_tiles_supports(a))
    convolution_fixed_tiles(context, a);
  else if (a.dst.images * a.dst.height * a.dst.width * a.dst.channels <= int64_t{1} << 30)
    convolution_fixed_elements(context, a);
  else
    return false;
  return true;
}

}  // namespace ristretto::cuda
