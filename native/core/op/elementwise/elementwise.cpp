#include "elementwise.h"

#include <algorithm>

#include "../check_tensor.h"
#include "../spans.h"

namespace ristretto {
namespace {

constexpr int kMaxSlots = ElementwiseArguments::kMaxOperands + ElementwiseArguments::kRegisters;

// Elements that go through all steps before the next ones: operands and registers stay in the L1 cache.
constexpr int64_t kBlock = 512;

template <StepOperation kOperation>
void apply(const ElementwiseStep& step, float* const* slots, int64_t count) {
  float* dst = slots[step.dst];
  const float* a = slots[step.a];
  if (takes_two(kOperation) && step.b >= 0) {
    const float* b = slots[step.b];
    for (int64_t i = 0; i < count; ++i) dst[i] = step_value<kOperation>(a[i], b[i]);
  } else {
    const float constant = step.constant;
    for (int64_t i = 0; i < count; ++i) dst[i] = step_value<kOperation>(a[i], constant);
  }
}

void run_step(const ElementwiseStep& step, float* const* slots, int64_t count) {
  using Apply = void (*)(const ElementwiseStep&, float* const*, int64_t);
  static constexpr Apply kRows[] = {
      apply<StepOperation::copy>,        apply<StepOperation::absolute>, apply<StepOperation::sign>,
      apply<StepOperation::square_root>, apply<StepOperation::add>,      apply<StepOperation::subtract>,
      apply<StepOperation::multiply>,    apply<StepOperation::divide>,   apply<StepOperation::maximum>,
      apply<StepOperation::minimum>,
  };
  kRows[int(step.operation)](step, slots, count);
}

bool overlap(const Tensor& a, const Tensor& b) {
  return a.data != b.data && a.f32() < b.f32() + b.count() && b.f32() < a.f32() + a.count();
}

}  // namespace

void Elementwise::check(const Arguments& e) {
  const int operands = int(e.operands.size()), slots = operands + Arguments::kRegisters;
  require(operands > 0 && operands <= Arguments::kMaxOperands, "1 to ", Arguments::kMaxOperands,
          " operands can be given, not ", operands);
  for (const Tensor& operand : e.operands) {
    require_contiguous(operand, "an operand");
    require(operand.count() == e.operands[0].count(), "operands of ", e.operands[0].count(), " and ",
            operand.count(), " elements");
    for (const Tensor& other : e.operands) require(!overlap(operand, other), "operands overlap");
  }
  require(!e.steps.empty(), "no steps");
  std::vector<bool> written(size_t(slots), false);
  std::fill_n(written.begin(), operands, true);
  for (const ElementwiseStep& step : e.steps) {
    const bool two = takes_two(step.operation);
    for (int slot : {step.dst, step.a, two && step.b != ElementwiseStep::kConstant ? step.b : step.a})
      require(slot >= 0 && slot < slots, "slot ", slot, " of ", slots);
    require(written[size_t(step.a)] && (!two || step.b < 0 || written[size_t(step.b)]),
            "a register is read before it is written");
    written[size_t(step.dst)] = true;
  }
}

void Elementwise::run(Context& context, const Arguments& e) {
  const int operands = int(e.operands.size());
  context.pool.for_range(e.operands[0].count(), kSpanGrain, [&](int64_t begin, int64_t end, int worker) {
    auto* registers =
        static_cast<float*>(context.scratch(worker, sizeof(float) * kBlock * Arguments::kRegisters));
    float* slots[kMaxSlots];
    for (int i = 0; i < Arguments::kRegisters; ++i) slots[operands + i] = registers + i * kBlock;
    for (int64_t offset = begin; offset < end; offset += kBlock) {
      for (int i = 0; i < operands; ++i) slots[i] = e.operands[size_t(i)].f32() + offset;
      for (const ElementwiseStep& step : e.steps) run_step(step, slots, std::min(kBlock, end - offset));
    }
  });
}

}  // namespace ristretto
