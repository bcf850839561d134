#include "core/op/transform_image.h"

#include "op_binding.h"

namespace ristretto::binding {

BoundOp bind_transform_image() {
  using A = TransformImageArguments;
  return bind<TransformImage>("transformImage", {
                                                    tensor("src", &A::src),
                                                    tensor("dst", &A::dst),
                                                    optional_tensor("mean", &A::mean),
                                                    numbers("meanValues", &A::mean_values),
                                                    boolean("channelsLast", &A::channels_last),
                                                    boolean("mirror", &A::mirror),
                                                    integer("cropTop", &A::crop_top),
                                                    integer("cropLeft", &A::crop_left),
                                                    number("scale", &A::scale),
                                                });
}

}  // namespace ristretto::binding
