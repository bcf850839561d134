// Programs of steps on the device equal those on the processor, bit for bit.
#include "core/op/elementwise/elementwise.h"

#include <vector>

#include "core/format/float_bits.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;

namespace {

guarded::vector<float> values(size_t count, uint32_t state) {
  guarded::vector<float> all(count);
  for (float& value : all) {
    state = state * 1664525u + 1013904223u;
    value = float(int32_t(state) >> 8) / float(1 << 20);
  }
  return all;
}

void check_program(const std::vector<guarded::vector<float>>& operands,
                   const std::vector<ElementwiseStep>& steps, size_t offset, bool twice) {
  const size_t count = operands[0].size() - offset;
  std::vector<guarded::vector<float>> expected = operands;
  std::vector<std::unique_ptr<Shared<float>>> device;
  ElementwiseArguments on_processor, on_device;
  on_processor.steps = on_device.steps = steps;
  for (guarded::vector<float>& operand : expected) {
    device.push_back(std::make_unique<Shared<float>>(operand));
    on_processor.operands.push_back(Tensor::of(operand.data() + offset, {int64_t(count)}));
    on_device.operands.push_back(Tensor::of(device.back()->data() + offset, {int64_t(count)}));
  }
  if (twice) {
    on_processor.operands.push_back(on_processor.operands[0]);
    on_device.operands.push_back(on_device.operands[0]);
  }
  ristretto::Context context(1, {});
  Elementwise::check(on_processor);
  Elementwise::run(context, on_processor);
  CHECK(cuda::run(test_context(), on_device));
  test_context().synchronize();
  for (size_t o = 0; o < expected.size(); ++o)
    for (size_t i = 0; i < expected[o].size(); ++i)
      CHECK_EQUAL(bits_of((*device[o])[i]), bits_of(expected[o][i]), "operand ", o, " element ", i);
}

}  // namespace

TEST(every_operation_equals_the_processors) {
  for (size_t count : {size_t{1}, size_t{515}, size_t{3000}})
    for (StepOperation operation :
         {StepOperation::copy, StepOperation::absolute, StepOperation::sign, StepOperation::square_root,
          StepOperation::add, StepOperation::subtract, StepOperation::multiply, StepOperation::divide,
          StepOperation::maximum, StepOperation::minimum}) {
      guarded::vector<float> a = values(count, 1);
      if (operation == StepOperation::square_root)
        for (float& value : a) value = std::fabs(value);
      check_program({a, values(count, 2), values(count, 3)}, {{operation, 2, 0, 1, 0}}, 0, false);
      check_program({a, values(count, 2)}, {{operation, 1, 0, ElementwiseStep::kConstant, 0.3f}}, 0, false);
    }
}

TEST(programs_of_several_steps_equal_the_processors) {
  // momentum: history = 0.9 * history + 0.01 * diff; data -= history, with two registers (slots 3 and 4).
  const std::vector<ElementwiseStep> momentum = {
      {StepOperation::multiply, 3, 1, ElementwiseStep::kConstant, 0.01f},
      {StepOperation::multiply, 4, 2, ElementwiseStep::kConstant, 0.9f},
      {StepOperation::add, 2, 3, 4, 0},
      {StepOperation::subtract, 0, 0, 2, 0}};
  check_program({values(1030, 1), values(1030, 2), values(1030, 3)}, momentum, 0, false);
  check_program({values(1030, 1), values(1030, 2), values(1030, 3)}, momentum, 1, false);  // at odd places
}

TEST(a_tensor_that_stands_twice_is_one) {
  // Slot 2 is slot 0 again: what is written there is read here.
  const std::vector<ElementwiseStep> steps = {{StepOperation::add, 0, 0, 1, 0},
                                              {StepOperation::multiply, 1, 2, 2, 0}};
  check_program({values(300, 1), values(300, 2)}, steps, 0, true);
}

// Registers outlive a launch: the program starts with them, ends with them, and has more steps than two
// launches take.
TEST(long_programs_equal_the_processors) {
  constexpr int kSteps = 61, kOperands = 3, kSlots = kOperands + ElementwiseArguments::kRegisters;
  const StepOperation operations[] = {StepOperation::add, StepOperation::multiply, StepOperation::maximum,
                                      StepOperation::subtract, StepOperation::minimum};
  std::vector<ElementwiseStep> steps;
  for (int r = kOperands; r < kSlots; ++r)
    steps.push_back({StepOperation::multiply, r, r % kOperands, ElementwiseStep::kConstant, 0.1f * float(r)});
  uint32_t state = 7;
  const auto slot = [&] {
    state = state * 1664525u + 1013904223u;
    return int((state >> 16) % kSlots);
  };
  while (int(steps.size()) < kSteps - 1) {
    const StepOperation operation = operations[steps.size() % 5];
    const int dst = slot(), a = slot(), b = slot();
    steps.push_back({operation, dst, a, b, 0});
    // No value grows without bound.
    steps.push_back({StepOperation::minimum, dst, dst, ElementwiseStep::kConstant, 3});
    steps.push_back({StepOperation::maximum, dst, dst, ElementwiseStep::kConstant, -3});
  }
  for (int r = kOperands; r < kSlots; ++r) steps.push_back({StepOperation::add, 0, 0, r, 0});
  for (size_t offset : {size_t{0}, size_t{1}})
    check_program({values(1030, 1), values(1030, 2), values(1030, 3)}, steps, offset, false);
  check_program({values(7, 1), values(7, 2)}, std::vector<ElementwiseStep>(30, steps[4]), 0, true);
}
