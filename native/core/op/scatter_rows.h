// scatter rows: table[index[m]] += src[m] and bias += src[m], the gradient of gather rows. Each element adds
// up in the order of m.
#pragma once

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

struct ScatterRowsArguments {
  Tensor src;              // M rows of the table's length, any shape
  Tensor index;            // M elements; their whole part is used
  Tensor table;            // (K, ...), or empty
  Tensor bias;             // one row, or empty
  bool overwrite = false;  // the table starts from zeros
};

struct ScatterRows {
  using Arguments = ScatterRowsArguments;
  static void check(const Arguments& arguments);
  // Throws Error for an index that is not in [0, K).
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
