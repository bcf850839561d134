// Tensor maps by the driver, which is asked for its function when the first one is made: the addon must load
// where there is no driver.
#include "tensor_map.h"

#include <cuda_runtime.h>

#include "core/error.h"

namespace ristretto::cuda {

namespace {

using Encode = decltype(&cuTensorMapEncodeIm2col);

Encode encode_function() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeIm2col", &function, 12000,
                                                             cudaEnableDefault, &result);
  if (error != cudaSuccess) cudaGetLastError();
  require(error == cudaSuccess && result == cudaDriverEntryPointSuccess && function != nullptr,
          "the driver has no cuTensorMapEncodeIm2col");
  return reinterpret_cast<Encode>(function);
}

}  // namespace

TensorMap make_tensor_map(const WindowedCodes& c) {
  static const Encode encode = encode_function();
  TensorMap map;
  const cuuint64_t sizes[4] = {cuuint64_t(c.channels), cuuint64_t(c.width), cuuint64_t(c.height),
                               cuuint64_t(c.images)};
  const cuuint64_t strides[3] = {cuuint64_t(c.pixel_bytes), cuuint64_t(c.row_bytes),
                                 cuuint64_t(c.image_bytes)};
  const int lower[2] = {-c.pad_w, -c.pad_h};
  const int upper[2] = {c.pad_w - (c.extent_w - 1), c.pad_h - (c.extent_h - 1)};
  const cuuint32_t steps[4] = {1, cuuint32_t(c.stride_w), cuuint32_t(c.stride_h), 1};
  const CUresult result =
      encode(&map, CU_TENSOR_MAP_DATA_TYPE_UINT8, 4, const_cast<void*>(c.data), sizes, strides, lower, upper,
             cuuint32_t(c.box_channels), cuuint32_t(c.box_windows), steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
             c.swizzled ? CU_TENSOR_MAP_SWIZZLE_64B : CU_TENSOR_MAP_SWIZZLE_NONE,
             CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  require(result == CUDA_SUCCESS, "describing a convolution's windows: the driver's error ", int(result));
  return map;
}

}  // namespace ristretto::cuda
