// Tensor maps of the executor's device: what the driver would be told, kept.
#include "tensor_map.h"

namespace ristretto::cuda {

TensorMap make_tensor_map(const WindowedCodes& codes) { return {codes}; }

}  // namespace ristretto::cuda
