// eltwise: sum with coefficients, product or maximum of tensors of one shape, element by element.
#pragma once

#include <vector>

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class EltwiseOperation : uint8_t {
  sum,      // coefficients[0] * srcs[0] + …, added up in this order
  product,  // srcs[0] * srcs[1] * …
  maximum,  // the later one where neither is greater (a NaN in the later one wins)
};

template <>
inline constexpr auto names_of<EltwiseOperation> =
    enum_names<EltwiseOperation>("EltwiseOperation", {{"sum", EltwiseOperation::sum},
                                                      {"product", EltwiseOperation::product},
                                                      {"maximum", EltwiseOperation::maximum}});

struct EltwiseArguments {
  std::vector<Tensor> srcs;
  Tensor dst;  // may be one of srcs
  EltwiseOperation operation = EltwiseOperation::sum;
  std::vector<float> coefficients;  // sum: one per source; none: all 1

  template <class F>
  static void fields(F& field) {
    using A = EltwiseArguments;
    field("srcs", &A::srcs);
    field("dst", &A::dst);
    field("operation", &A::operation);
    field("coefficients", &A::coefficients);
  }
};

struct Eltwise {
  using Arguments = EltwiseArguments;
  static constexpr const char* name = "eltwise";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
