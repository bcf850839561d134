// reduce: one number from each row of src. Sums run in double, rounded once.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class ReduceOperation : uint8_t { sum, absolute_sum, square_sum };

template <>
inline constexpr auto names_of<ReduceOperation> =
    enum_names<ReduceOperation>("ReduceOperation", {{"sum", ReduceOperation::sum},
                                                    {"absoluteSum", ReduceOperation::absolute_sum},
                                                    {"squareSum", ReduceOperation::square_sum}});

struct ReduceArguments {
  Tensor src;
  Tensor dst;  // one element per row; src is cut into as many equal rows
  ReduceOperation operation = ReduceOperation::sum;
  float coefficient = 1;  // of the result

  template <class F>
  static void fields(F& field) {
    using A = ReduceArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("operation", &A::operation);
    field("coefficient", &A::coefficient).optional();
  }
};

struct Reduce {
  using Arguments = ReduceArguments;
  static constexpr const char* name = "reduce";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
