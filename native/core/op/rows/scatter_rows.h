// scatter rows: table[index[m]] += src[m] and bias += src[m], the gradient of gather rows. Each element adds
// up in the order of m.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct ScatterRowsArguments {
  Tensor src;              // M rows of the table's length, any shape
  Tensor index;            // M elements; their whole part is used
  Tensor table;            // (K, ...), or empty
  Tensor bias;             // one row, or empty
  bool overwrite = false;  // the table starts from zeros

  template <class F>
  static void fields(F& field) {
    using A = ScatterRowsArguments;
    field("src", &A::src);
    field("index", &A::index);
    field("table", &A::table).optional().doc("Added to, as bias is, unless `overwrite` zeroes it first.");
    field("bias", &A::bias).optional();
    field("overwrite", &A::overwrite);
  }
};

struct ScatterRows {
  using Arguments = ScatterRowsArguments;
  static constexpr const char* name = "scatterRows";
  static constexpr const char* doc = "The gradient of gatherRows.";
  static void check(const Arguments& arguments);
  // Throws Error for an index that is not in [0, K).
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
