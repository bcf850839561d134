#include "core/op/elementwise.h"

#include "op_binding.h"

namespace ristretto::binding {
namespace {

constexpr std::pair<const char*, StepOperation> kOperations[] = {
    {"copy", StepOperation::copy},         {"absolute", StepOperation::absolute},
    {"sign", StepOperation::sign},         {"squareRoot", StepOperation::square_root},
    {"add", StepOperation::add},           {"subtract", StepOperation::subtract},
    {"multiply", StepOperation::multiply}, {"divide", StepOperation::divide},
    {"maximum", StepOperation::maximum},   {"minimum", StepOperation::minimum},
};

StepOperation operation_from(Napi::Value value) {
  const std::string given = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  std::string known;
  for (const auto& [name, operation] : kOperations) {
    if (given == name) return operation;
    known += std::string(known.empty() ? "" : ", ") + name;
  }
  throw Napi::TypeError::New(value.Env(), "operation must be one of " + known);
}

// {operation, dst, a} | {operation, dst, a, b} | {operation, dst, a, constant}
ElementwiseStep step_from(Napi::Value value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "must be an array of steps");
  const Napi::Object object = value.As<Napi::Object>();
  ElementwiseStep step;
  step.operation = operation_from(object.Get("operation"));
  const auto slot = [&](const char* name) { return int(integer_from(object.Get(name), 0, 63)); };
  step.dst = slot("dst");
  step.a = slot("a");
  if (step.operation < StepOperation::add) return step;
  if (object.Get("b").IsUndefined())
    step.constant = float(number_from(object.Get("constant")));
  else
    step.b = slot("b");
  return step;
}

}  // namespace

BoundOp bind_elementwise() {
  using A = ElementwiseArguments;
  return bind<Elementwise>("elementwise", {
                                              tensors("operands", &A::operands),
                                              {"steps", "step[]", true,
                                               [](Napi::Value v, A& a, Keep&) {
                                                 if (!v.IsArray())
                                                   throw Napi::TypeError::New(v.Env(),
                                                                              "must be an array of steps");
                                                 const Napi::Array list = v.As<Napi::Array>();
                                                 for (uint32_t i = 0; i < list.Length(); ++i)
                                                   a.steps.push_back(step_from(list.Get(i)));
                                               }},
                                          });
}

}  // namespace ristretto::binding
