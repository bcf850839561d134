// accuracy: the share of labels whose class is among the top k scores. Other classes with the same score
// count as better, so a net whose outputs are all alike scores 0; so do NaNs, on either side.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct AccuracyArguments {
  Tensor src;        // (outer..., classes, inner...)
  Tensor labels;     // outer * inner class numbers
  Tensor dst;        // one element; 0 where every label is ignored
  Tensor per_class;  // or empty; (classes): the same for each class alone, 0 where it has no labels
  int64_t axis = 1, top_k = 1;
  bool ignores = false;
  int64_t ignored = 0;

  template <class F>
  static void fields(F& field) {
    using A = AccuracyArguments;
    field("src", &A::src);
    field("labels", &A::labels);
    field("dst", &A::dst);
    field("perClass", &A::per_class).optional();
    field("axis", &A::axis).at_least(0);
    field("topK", &A::top_k).at_least(1);
    field("ignores", &A::ignores);
    field("ignored", &A::ignored).optional();
  }
};

struct Accuracy {
  using Arguments = AccuracyArguments;
  static constexpr const char* name = "accuracy";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
