#include "core/op/transform_images.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_transform_images() {
  using A = TransformImagesArguments;
  return bind<TransformImages>("transformImages",
                               {
                                   tensor("src", &A::src),
                                   tensor("geometry", &A::geometry),
                                   optional_tensor("mean", &A::mean),
                                   tensor("dst", &A::dst),
                                   choice("layout", &A::layout,
                                          {{"planar", PixelLayout::planar},
                                           {"interleaved", PixelLayout::interleaved},
                                           {"interleavedSwapped", PixelLayout::interleaved_swapped}}),
                                   number("scale", &A::scale),
                               });
}

}  // namespace ristretto::binding
