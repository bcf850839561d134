#include "cuda/window_product.h"

#include "cuda/product_launch.h"

namespace ristretto::cuda {

void launch_product(Context& context, const char* name, Lanes a, Lanes b, const WindowProduct& p, int parts) {
  if (b == Lanes::depths)
    launch_tiles<Lanes::depths, Lanes::depths>(context, name, p, parts);
  else if (a == Lanes::depths)
    launch_tiles<Lanes::depths, Lanes::rows>(context, name, p, parts);
  else
    launch_tiles<Lanes::rows, Lanes::rows>(context, name, p, parts);
}

}  // namespace ristretto::cuda
