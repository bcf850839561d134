// gather rows: dst[m] = table[index[m]] + bias: Embed, BatchReindex, Filter.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct GatherRowsArguments {
  Tensor table;  // (K, ...)
  Tensor index;  // M elements; their whole part is used
  Tensor bias;   // one row, or empty
  Tensor dst;    // M rows of the table's length, any shape

  template <class F>
  static void fields(F& field) {
    using A = GatherRowsArguments;
    field("table", &A::table);
    field("index", &A::index);
    field("bias", &A::bias).optional();
    field("dst", &A::dst);
  }
};

struct GatherRows {
  using Arguments = GatherRowsArguments;
  static constexpr const char* name = "gatherRows";
  static void check(const Arguments& arguments);
  // Throws Error for an index that is not in [0, K).
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
