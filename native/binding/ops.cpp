#include "ops.h"

namespace ristretto::binding {

// One row per op; its function stands in the file named after it.
#define RISTRETTO_OPS(ROW) \
  ROW(accuracy)            \
  ROW(arg_max)             \
  ROW(convolution)         \
  ROW(deconvolution)       \
  ROW(inner_product)       \
  ROW(label_loss)          \
  ROW(lrn)                 \
  ROW(pair_loss)           \
  ROW(pooling)             \
  ROW(range)               \
  ROW(softmax)             \
  ROW(transform_images)    \
  ROW(trim)                \
  ROW(unary)

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
