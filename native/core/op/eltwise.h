// eltwise: sum with coefficients, product or maximum of tensors of one shape, element by element.
#pragma once

#include <vector>

#include "../context.h"
#include "../tensor_view.h"

namespace ristretto {

enum class EltwiseOperation : uint8_t {
  sum,      // coefficients[0] * srcs[0] + …, added up in this order
  product,  // srcs[0] * srcs[1] * …
  maximum,  // the later one where neither is greater (a NaN in the later one wins)
};

struct EltwiseArguments {
  std::vector<Tensor> srcs;
  Tensor dst;  // may be one of srcs
  EltwiseOperation operation = EltwiseOperation::sum;
  std::vector<float> coefficients;  // sum: one per source; none: all 1
};

struct Eltwise {
  using Arguments = EltwiseArguments;
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
