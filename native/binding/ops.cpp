#include "ops.h"

namespace ristretto::binding {

// One row per op; its function stands in the file named after it.
#define RISTRETTO_OPS(ROW)       \
  ROW(accuracy)                  \
  ROW(affine)                    \
  ROW(affine_gradient)           \
  ROW(arg_max)                   \
  ROW(average_pooling_codes)     \
  ROW(batch_norm)                \
  ROW(batch_norm_gradient)       \
  ROW(col2im)                    \
  ROW(contrastive_loss)          \
  ROW(contrastive_loss_gradient) \
  ROW(convolution)               \
  ROW(convolution_fixed)         \
  ROW(convolution_gradient)      \
  ROW(copy)                      \
  ROW(copy_strided)              \
  ROW(deconvolution)             \
  ROW(deconvolution_gradient)    \
  ROW(dequantise)                \
  ROW(dropout)                   \
  ROW(elementwise)               \
  ROW(eltwise)                   \
  ROW(eltwise_gradient)          \
  ROW(gather_rows)               \
  ROW(inner_product)             \
  ROW(inner_product_gradient)    \
  ROW(label_loss)                \
  ROW(label_loss_gradient)       \
  ROW(lrn)                       \
  ROW(lrn_gradient)              \
  ROW(max_pooling_codes)         \
  ROW(mvn)                       \
  ROW(mvn_gradient)              \
  ROW(pair_loss)                 \
  ROW(pair_loss_gradient)        \
  ROW(pooled_convolution_fixed)  \
  ROW(pooling)                   \
  ROW(pooling_gradient)          \
  ROW(prelu)                     \
  ROW(prelu_gradient)            \
  ROW(quantise)                  \
  ROW(quantise_tensor)           \
  ROW(range)                     \
  ROW(reduce)                    \
  ROW(reduce_gradient)           \
  ROW(requantise)                \
  ROW(scatter_rows)              \
  ROW(softmax)                   \
  ROW(softmax_gradient)          \
  ROW(sum_of_squares)            \
  ROW(transform_images)          \
  ROW(trim)                      \
  ROW(unary)                     \
  ROW(unary_gradient)

#define DECLARE(name) BoundOp bind_##name();
RISTRETTO_OPS(DECLARE)
#undef DECLARE

const OpTable& op_table() {
#define ROW(name) &bind_##name,
  static const OpTable table = {RISTRETTO_OPS(ROW)};
#undef ROW
  return table;
}

}  // namespace ristretto::binding
