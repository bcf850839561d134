// Chooses how a fixed-point convolution is computed on a device.
#include "convolution_fixed.h"

#include <cstdlib>
#include <cstring>

#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

// Until the warp groups' kernel has been seen to run on a device, it is for those who ask for it.
bool warpgroups_wanted() {
  static const bool wanted = [] {
    const char* value = std::getenv("RISTRETTO_WARPGROUPS");
    return value && std::strcmp(value, "1") == 0;
  }();
  return wanted;
}

}  // namespace

bool run(Context& context, const ConvolutionFixedArguments& a) {
  if (a.dst.images == 0) return true;
  // Groups of a few outputs leave most columns of a tile empty; a tile's runs are of a source without gaps.
  const bool narrow_groups = a.group > 1 && a.dst.channels / a.group <= 4;
  const bool tiles = !narrow_groups && a.spread_h == 1 && a.spread_w == 1;
  if (tiles && context.device().warpgroups && warpgroups_wanted() && convolution_fixed_warpgroups_supports(a))
    convolution_fixed_warpgroups(context, a);
  else if (tiles && convolution_fixed_tiles_supports(a))
    convolution_fixed_tiles(context, a);
  else if (a.dst.images * a.dst.height * a.dst.width * a.dst.channels <= int64_t{1} << 30)
    convolution_fixed_elements(context, a);
  else
    return false;
  return true;
}

}  // namespace ristretto::cuda
