#include "op_binding.h"

namespace ristretto::binding {

Tensor tensor_from(Napi::Value value, Keep& keep) {
  TensorHandle* handle = unwrap<TensorHandle>(value, state_of(value.Env()).tensor_class);
  if (!handle) throw Napi::TypeError::New(value.Env(), "must be a Tensor");
  keep.push_back(memory_of(value.Env(), handle->block()));
  return handle->view();
}

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

CodeTensor codes_from(Napi::Value value, Keep& keep) {
  CodeTensorHandle* handle = unwrap<CodeTensorHandle>(value, state_of(value.Env()).code_tensor_class);
  if (!handle) throw Napi::TypeError::New(value.Env(), "must be a CodeTensor");
  keep.push_back(memory_of(value.Env(), handle->block()));
  return handle->view();
}

Rounding rounding_from(Napi::Value value) {
  const std::string name = value.ToString().Utf8Value();
  if (name == "halfAwayFromZero") return Rounding::half_away_from_zero;
  if (name == "halfToEven") return Rounding::half_to_even;
  if (name == "halfUp") return Rounding::half_up;
  if (name == "floor") return Rounding::floor;
  if (name == "stochastic") return Rounding::stochastic;
  throw Napi::TypeError::New(value.Env(),
                             "rounding must be halfAwayFromZero, halfToEven, halfUp, floor or stochastic");
}

namespace {

int whole_property(Napi::Object object, const char* name, int64_t least, int64_t most) {
  try {
    return int(integer_from(object.Get(name), least, most));
  } catch (const Napi::Error& e) {
    throw Napi::TypeError::New(object.Env(), std::string(name) + " " + e.Message());
  }
}

}  // namespace

// {bitWidth, fractionalLength}
CodeFormat code_format_from(Napi::Value value, int most_bits) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "must be a format of codes");
  const Napi::Object object = value.As<Napi::Object>();
  return {whole_property(object, "bitWidth", 1, most_bits),
          whole_property(object, "fractionalLength", -126, 126)};
}

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

StreamHandle& stream_from(const Napi::CallbackInfo& info, const char* op) {
  StreamHandle* stream = unwrap<StreamHandle>(info[0], state_of(info.Env()).stream_class);
  if (!stream)
    throw Napi::TypeError::New(info.Env(), std::string(op) + ": the first argument must be a Stream");
  return *stream;
}

void rethrow_field_error(Napi::Env env, const char* op, const std::string& label, const char* field,
                         const std::string& message) {
  Napi::Error error = Napi::TypeError::New(env, std::string(op) + ": " + field + " " + message);
  if (!label.empty()) error.Set("layer", Napi::String::New(env, label));
  throw error;
}

}  // namespace ristretto::binding
