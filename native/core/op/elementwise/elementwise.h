// elementwise: a small program of float32 steps, run element by element over several tensors of one size in a
// single pass over memory. What an update rule of a solver is made of.
#pragma once

#include <cmath>
#include <vector>

#include "../../context.h"
#include "../../host_device.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

enum class StepOperation : uint8_t {
  copy,         // dst = a
  absolute,     // |a|
  sign,         // -1, 0, 1; of a NaN: 0, as the original's
  square_root,  // of a
  add,          // a + b; b: a slot or the step's constant, here and below
  subtract,     // a - b
  multiply,     // a * b
  divide,       // a / b
  maximum,      // the later one where neither is greater
  minimum,      // the later one where neither is less
};

template <>
inline constexpr auto names_of<StepOperation> =
    enum_names<StepOperation>("StepOperation", {{"copy", StepOperation::copy},
                                                {"absolute", StepOperation::absolute},
                                                {"sign", StepOperation::sign},
                                                {"squareRoot", StepOperation::square_root},
                                                {"add", StepOperation::add},
                                                {"subtract", StepOperation::subtract},
                                                {"multiply", StepOperation::multiply},
                                                {"divide", StepOperation::divide},
                                                {"maximum", StepOperation::maximum},
                                                {"minimum", StepOperation::minimum}});

// Slots: operand i is slot i, then come the registers. Each step rounds to float32 once; nothing is
// contracted, so the result is the same on every machine.
struct ElementwiseStep {
  static constexpr int kConstant = -1;

  StepOperation operation = StepOperation::copy;
  int dst = 0;
  int a = 0;
  int b = kConstant;
  float constant = 0;
};

// What a step gives, of one operand or two.
template <StepOperation kOperation>
RISTRETTO_HOST_DEVICE float step_value(float x, [[maybe_unused]] float y) {
  if constexpr (kOperation == StepOperation::absolute) return std::fabs(x);
  if constexpr (kOperation == StepOperation::sign) return float((x > 0) - (x < 0));
  if constexpr (kOperation == StepOperation::square_root) return std::sqrt(x);
  if constexpr (kOperation == StepOperation::add) return x + y;
  if constexpr (kOperation == StepOperation::subtract) return x - y;
  if constexpr (kOperation == StepOperation::multiply) return x * y;
  if constexpr (kOperation == StepOperation::divide) return x / y;
  if constexpr (kOperation == StepOperation::maximum) return x > y ? x : y;
  if constexpr (kOperation == StepOperation::minimum) return x < y ? x : y;
  return x;
}

inline bool takes_two(StepOperation operation) { return operation >= StepOperation::add; }

struct ElementwiseArguments {
  static constexpr int kRegisters = 4;
  static constexpr int kMaxOperands = 8;

  // As many elements each; may be read and written. No two may overlap, but the same one may stand twice.
  std::vector<Tensor> operands;
  std::vector<ElementwiseStep> steps;

  template <class F>
  static void fields(F& field) {
    using A = ElementwiseArguments;
    field("operands", &A::operands).doc("At most eight, as many elements each; read and written.");
    field("steps", &A::steps);
  }
};

struct Elementwise {
  using Arguments = ElementwiseArguments;
  static constexpr const char* name = "elementwise";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
