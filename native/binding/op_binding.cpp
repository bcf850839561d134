#include "op_binding.h"

#include <cmath>

namespace ristretto::binding {

int64_t integer_from(Napi::Value value, int64_t least, int64_t most) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number == std::floor(number) && number >= double(least) && number <= double(most))
      return int64_t(number);
  }
  throw Napi::TypeError::New(
      value.Env(), "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

double number_from(Napi::Value value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

size_t choice_from(Napi::Value value, const Choices& choices) {
  const std::string given = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  std::string known;
  for (size_t i = 0; i < choices.names.size(); ++i) {
    if (given == choices.names[i]) return i;
    known += std::string(i == 0 ? "" : ", ") + choices.names[i];
  }
  throw Napi::TypeError::New(value.Env(), "must be one of " + known);
}

namespace {

Tensor tensor_from(Napi::Value value, Keep& keep) {
  TensorHandle* handle = unwrap<TensorHandle>(value, state_of(value.Env()).tensor_class);
  if (!handle) throw Napi::TypeError::New(value.Env(), "must be a Tensor");
  keep.push_back(memory_of(value.Env(), handle->block()));
  return handle->view();
}

CodeTensor codes_from(Napi::Value value, Keep& keep) {
  CodeTensorHandle* handle = unwrap<CodeTensorHandle>(value, state_of(value.Env()).code_tensor_class);
  if (!handle) throw Napi::TypeError::New(value.Env(), "must be a CodeTensor");
  keep.push_back(memory_of(value.Env(), handle->block()));
  return handle->view();
}

Rounding rounding_from(Napi::Value value) {
  const std::string given = value.ToString().Utf8Value();
  const auto& values = names_of<Rounding>.values;
  std::string known;
  for (const auto& [name, rounding] : values) {
    if (given == name) return rounding;
    const bool last = name == std::end(values)[-1].name;
    known += std::string(known.empty() ? "" : last ? " or " : ", ") + name;
  }
  throw Napi::TypeError::New(value.Env(), "rounding must be " + known);
}

int whole_property(Napi::Object object, const char* name, int64_t least, int64_t most) {
  try {
    return int(integer_from(object.Get(name), least, most));
  } catch (const Napi::Error& e) {
    throw Napi::TypeError::New(object.Env(), std::string(name) + " " + e.Message());
  }
}

// {bitWidth, fractionalLength}
CodeFormat code_format_from(Napi::Value value, int most_bits) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "must be a format of codes");
  const Napi::Object object = value.As<Napi::Object>();
  return {whole_property(object, "bitWidth", 1, most_bits),
          whole_property(object, "fractionalLength", -126, 126)};
}

}  // namespace

// {kind: 'dynamicFixedPoint', bitWidth, fractionalLength} | {kind: 'minifloat', mantissaBits, exponentBits} |
// {kind: 'integerPowerOfTwo', exponentMin, exponentMax}, each with an optional rounding.
TrimFormat trim_format_from(Napi::Value value) {
  Napi::Env env = value.Env();
  if (!value.IsObject()) throw Napi::TypeError::New(env, "must be a number format");
  Napi::Object object = value.As<Napi::Object>();
  const std::string kind = object.Get("kind").ToString().Utf8Value();
  const auto whole = [&](const char* name, int64_t least, int64_t most) {
    return whole_property(object, name, least, most);
  };
  TrimFormat format;
  if (kind == "dynamicFixedPoint") {
    format.kind = FormatKind::dynamic_fixed_point;
    format.bit_width = whole("bitWidth", 1, 32);
    format.fractional_length = whole("fractionalLength", -126, 126);
  } else if (kind == "minifloat") {
    format.kind = FormatKind::minifloat;
    format.mantissa_bits = whole("mantissaBits", 0, 31);
    format.exponent_bits = whole("exponentBits", 1, 8);
  } else if (kind == "integerPowerOfTwo") {
    format.kind = FormatKind::integer_power_of_two;
    format.exponent_min = whole("exponentMin", -126, 127);
    format.exponent_max = whole("exponentMax", -126, 127);
  } else {
    throw Napi::TypeError::New(env, "kind must be dynamicFixedPoint, minifloat or integerPowerOfTwo");
  }
  Napi::Value rounding = object.Get("rounding");
  if (!rounding.IsUndefined()) format.rounding = rounding_from(rounding);
  return format;
}

namespace {

// {seed (0..2^53-1), stream (uint32), step (uint32), firstElement}
RandomStream random_stream_from(Napi::Value value) {
  Napi::Env env = value.Env();
  if (!value.IsObject()) throw Napi::TypeError::New(env, "must be a random stream");
  Napi::Object object = value.As<Napi::Object>();
  const auto whole = [&](const char* name, int64_t most) -> uint64_t {
    Napi::Value v = object.Get(name);
    return v.IsUndefined() ? 0 : uint64_t(integer_from(v, 0, most));
  };
  RandomStream random;
  random.seed = whole("seed", int64_t{1} << 53);
  random.stream = uint32_t(whole("stream", 0xffffffffll));
  random.step = uint32_t(whole("step", 0xffffffffll));
  random.first_element = whole("firstElement", int64_t{1} << 53);
  return random;
}

// {operation, dst, a} | {operation, dst, a, b} | {operation, dst, a, constant}
ElementwiseStep step_from(Napi::Value value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "must be an array of steps");
  const Napi::Object object = value.As<Napi::Object>();
  ElementwiseStep step;
  try {
    const size_t chosen = choice_from(object.Get("operation"), choices_of<StepOperation>());
    step.operation = names_of<StepOperation>.values[chosen].value;
  } catch (const Napi::Error& e) {
    throw Napi::TypeError::New(value.Env(), "operation " + e.Message());
  }
  const auto slot = [&](const char* name) { return int(integer_from(object.Get(name), 0, 63)); };
  step.dst = slot("dst");
  step.a = slot("a");
  if (!takes_two(step.operation)) return step;
  if (object.Get("b").IsUndefined())
    step.constant = float(number_from(object.Get("constant")));
  else
    step.b = slot("b");
  return step;
}

// Calls `each` with every element; `what` names them in the error.
template <class Each>
void read_list(Napi::Value value, const char* what, const Each& each) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string("must be an array of ") + what);
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) each(list.Get(i));
}

}  // namespace

void read(Napi::Value value, const FieldSpec&, Keep& keep, Tensor& into) { into = tensor_from(value, keep); }
void read(Napi::Value value, const FieldSpec&, Keep& keep, std::vector<Tensor>& into) {
  read_list(value, "tensors", [&](Napi::Value v) { into.push_back(tensor_from(v, keep)); });
}
void read(Napi::Value value, const FieldSpec&, Keep& keep, CodeTensor& into) {
  into = codes_from(value, keep);
}
void read(Napi::Value value, const FieldSpec& spec, Keep&, CodeFormat& into) {
  into = code_format_from(value, int(spec.most));
}
void read(Napi::Value value, const FieldSpec&, Keep&, Rounding& into) { into = rounding_from(value); }
void read(Napi::Value value, const FieldSpec& spec, Keep&, int& into) {
  into = int(integer_from(value, spec.least, spec.most));
}
void read(Napi::Value value, const FieldSpec& spec, Keep&, int64_t& into) {
  into = integer_from(value, spec.least, spec.most);
}
void read(Napi::Value value, const FieldSpec&, Keep&, std::vector<int64_t>& into) {
  constexpr int64_t kMost = int64_t{1} << 53;
  read_list(value, "whole numbers", [&](Napi::Value v) { into.push_back(integer_from(v, -kMost, kMost)); });
}
void read(Napi::Value value, const FieldSpec&, Keep&, float& into) { into = float(number_from(value)); }
void read(Napi::Value value, const FieldSpec&, Keep&, double& into) { into = number_from(value); }
void read(Napi::Value value, const FieldSpec&, Keep&, std::vector<float>& into) {
  read_list(value, "numbers", [&](Napi::Value v) { into.push_back(float(number_from(v))); });
}
void read(Napi::Value value, const FieldSpec&, Keep&, bool& into) {
  if (!value.IsBoolean()) throw Napi::TypeError::New(value.Env(), "must be true or false");
  into = value.As<Napi::Boolean>().Value();
}
void read(Napi::Value value, const FieldSpec&, Keep&, TrimFormat& into) { into = trim_format_from(value); }
void read(Napi::Value value, const FieldSpec&, Keep&, RandomStream& into) {
  into = random_stream_from(value);
}
void read(Napi::Value value, const FieldSpec&, Keep& keep, PackedWeights*& into) {
  PackedHandle* handle = unwrap<PackedHandle>(value, state_of(value.Env()).packed_class);
  if (!handle) throw Napi::TypeError::New(value.Env(), "must be a PackedWeights");
  into = handle->packed().get();
  keep.push_back(handle->packed());
}
void read(Napi::Value value, const FieldSpec&, Keep&, std::vector<ElementwiseStep>& into) {
  read_list(value, "steps", [&](Napi::Value v) { into.push_back(step_from(v)); });
}

StreamHandle& stream_from(const Napi::CallbackInfo& info, const char* op) {
  StreamHandle* stream = unwrap<StreamHandle>(info[0], state_of(info.Env()).stream_class);
  if (!stream)
    throw Napi::TypeError::New(info.Env(), std::string(op) + ": the first argument must be a Stream");
  return *stream;
}

void rethrow_field_error(Napi::Env env, const char* op, const std::string& label, const std::string& field,
                         const std::string& message) {
  Napi::Error error = Napi::TypeError::New(env, std::string(op) + ": " + field + " " + message);
  if (!label.empty()) error.Set("layer", Napi::String::New(env, label));
  throw error;
}

}  // namespace ristretto::binding
