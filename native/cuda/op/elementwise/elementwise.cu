// The small programs of the update rules: every thread takes four elements through all steps. The slots lie
// in shared memory, a row for each, because a step names them by number. Programs of more steps than a launch
// takes go on in the next one: registers are operands in scratch memory then.
#include <algorithm>

#include "core/op/elementwise/elementwise.h"
#include "cuda/launch.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr int kThreads = 128, kVector = 4;
constexpr int kMostSteps = 24;
constexpr int kSlots = ElementwiseArguments::kMaxOperands + ElementwiseArguments::kRegisters;

struct ElementwiseJob {
  float* operands[kSlots];
  int operand_count, step_count;
  unsigned written;  // a bit for each operand that a step writes
  int64_t count;
  ElementwiseStep steps[kMostSteps];
};

RISTRETTO_DEVICE float value_of(StepOperation operation, float x, float y) {
  switch (operation) {
    case StepOperation::copy:
      return step_value<StepOperation::copy>(x, y);
    case StepOperation::absolute:
      return step_value<StepOperation::absolute>(x, y);
    case StepOperation::sign:
      return step_value<StepOperation::sign>(x, y);
    case StepOperation::square_root:
      return step_value<StepOperation::square_root>(x, y);
    case StepOperation::add:
      return step_value<StepOperation::add>(x, y);
    case StepOperation::subtract:
      return step_value<StepOperation::subtract>(x, y);
    case StepOperation::multiply:
      return step_value<StepOperation::multiply>(x, y);
    case StepOperation::divide:
      return step_value<StepOperation::divide>(x, y);
    case StepOperation::maximum:
      return step_value<StepOperation::maximum>(x, y);
    case StepOperation::minimum:
      return step_value<StepOperation::minimum>(x, y);
  }
  return x;
}

struct alignas(16) Floats {
  float value[kVector];
};

RISTRETTO_DEVICE void run_steps(const ElementwiseJob& job, Floats* slots) {
  for (int s = 0; s < job.step_count; ++s) {
    const ElementwiseStep& step = job.steps[s];
    const Floats a = slots[step.a * kThreads];
    Floats b;
    if (step.b >= 0) {
      b = slots[step.b * kThreads];
    } else {
#pragma unroll
      for (int i = 0; i < kVector; ++i) b.value[i] = step.constant;
    }
    Floats result;
#pragma unroll
    for (int i = 0; i < kVector; ++i) result.value[i] = value_of(step.operation, a.value[i], b.value[i]);
    slots[step.dst * kThreads] = result;
  }
}

// kAligned: every operand starts at a multiple of 16 bytes.
template <bool kAligned>
RISTRETTO_KERNEL(kThreads, 8)
run_elementwise(ElementwiseJob job) {
  Floats* slots = shared_memory<Floats>() + thread_index();
  const int64_t step = int64_t{kThreads} * kVector * blocks();
  for (int64_t at = (int64_t{block_index()} * kThreads + thread_index()) * kVector; at < job.count;
       at += step) {
    const bool whole = kAligned && at + kVector <= job.count;
    for (int i = 0; i < job.operand_count; ++i) {
      Floats& slot = slots[i * kThreads];
      if (whole) {
        slot = *reinterpret_cast<const Floats*>(job.operands[i] + at);
      } else {
        for (int e = 0; e < kVector; ++e) slot.value[e] = at + e < job.count ? job.operands[i][at + e] : 0.0f;
      }
    }
    run_steps(job, slots);
    for (int i = 0; i < job.operand_count; ++i) {
      if (!(job.written >> i & 1)) continue;
      const Floats& slot = slots[i * kThreads];
      if (whole) {
        *reinterpret_cast<Floats*>(job.operands[i] + at) = slot;
      } else {
        for (int e = 0; e < kVector && at + e < job.count; ++e) job.operands[i][at + e] = slot.value[e];
      }
    }
  }
}

// The steps from `first` on, as many as a launch takes.
void launch_steps(Context& context, ElementwiseJob job, const ElementwiseArguments& e, size_t first,
                  const int (&slot_of)[kSlots]) {
  bool aligned = true;
  for (int i = 0; i < job.operand_count; ++i)
    aligned = aligned && reinterpret_cast<uintptr_t>(job.operands[i]) % 16 == 0;
  job.step_count = int(std::min(e.steps.size() - first, size_t{kMostSteps}));
  for (int s = 0; s < job.step_count; ++s) {
    ElementwiseStep step = e.steps[first + size_t(s)];
    step.dst = slot_of[step.dst];
    step.a = slot_of[step.a];
    step.b = takes_two(step.operation) && step.b >= 0 ? slot_of[step.b] : ElementwiseStep::kConstant;
    if (step.dst < job.operand_count) job.written |= 1u << step.dst;
    job.steps[s] = step;
  }
  const int64_t per_block = int64_t{kThreads} * kVector;
  const int64_t wanted = (job.count + per_block - 1) / per_block;
  const Grid grid{int(std::min<int64_t>(wanted, int64_t{8} * context.device().multiprocessors)), 1, 1};
  const size_t slots = e.operands.size() + ElementwiseArguments::kRegisters;
  const size_t shared = slots * kThreads * sizeof(Floats);
  if (aligned)
    launch(context, "run_elementwise", grid, kThreads, shared, run_elementwise<true>, job);
  else
    launch(context, "run_elementwise", grid, kThreads, shared, run_elementwise<false>, job);
}

}  // namespace

bool run(Context& context, const ElementwiseArguments& e) {
  ElementwiseJob job{};
  job.operand_count = int(e.operands.size());
  job.count = e.operands[0].count();
  if (job.count == 0) return true;
  // A tensor that stands twice is one slot: what is written to it under one number is read under the other.
  int slot_of[kSlots];
  for (int i = 0; i < kSlots; ++i) slot_of[i] = i;
  for (int i = 0; i < job.operand_count; ++i) {
    job.operands[i] = e.operands[size_t(i)].f32();
    slot_of[i] = int(std::find(job.operands, job.operands + i, job.operands[i]) - job.operands);
  }
  if (e.steps.size() > size_t{kMostSteps}) {
    const int64_t room = (job.count + kVector - 1) / kVector * kVector;
    float* registers =
        static_cast<float*>(context.scratch(size_t(room) * ElementwiseArguments::kRegisters * sizeof(float)));
    for (int i = 0; i < ElementwiseArguments::kRegisters; ++i)
      job.operands[job.operand_count++] = registers + i * room;
  }
  for (size_t first = 0; first < e.steps.size(); first += kMostSteps)
    launch_steps(context, job, e, first, slot_of);
  return true;
}

}  // namespace ristretto::cuda
