// A copy by the device's copy engine, beside kernels of other streams where one side is pinned memory.
#include "cuda/ops.h"

namespace ristretto::cuda {

bool run(Context& context, const CopyArguments& a) {
  context.copy(a.dst.data, a.src.data, size_t(a.src.count()) * size_of(a.src.type));
  return true;
}

}  // namespace ristretto::cuda
