#include "fixed_bound.h"

#include "core/op/quantized_convolution/convolution_fixed.h"
#include "op_binding.h"

namespace ristretto::binding {

namespace {

Napi::Value fixed_bound_of(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "fixedBound: the argument must be an object");
  ConvolutionFixedArguments a;
  Keep keep;
  read_fields(env, "fixedBound", "", FieldTable<ConvolutionFixedArguments>(), info[0].As<Napi::Object>(), a,
              keep);
  try {
    // What the bound reads. A convolution whose sums are too large fails its op's check, and has a bound.
    require((a.weights.type == DataType::i8 || a.weights.type == DataType::i16) && a.weights.contiguous() &&
                a.weights.rank >= 1,
            "fixedBound: weights are not contiguous codes of 8 or 16 bits");
    require(!a.bias ||
                (a.bias.type == DataType::i32 && a.bias.contiguous() && a.bias.count() == a.weights.dim[0]),
            "fixedBound: bias ", a.bias.shape_text(), " for weights ", a.weights.shape_text());
  } catch (const Error& e) {
    throw Napi::Error::New(env, e.what());
  }
  const FixedBound bound = fixed_bound(a);
  Napi::Object result = Napi::Object::New(env);
  result.Set("sumBits", bound.sum_bits);
  result.Set("accBits", bound.acc_bits);
  return result;
}

}  // namespace

void define_fixed_bound(Napi::Env env, Napi::Object exports) {
  exports.Set("fixedBound", Napi::Function::New(env, fixed_bound_of, "fixedBound"));
}

}  // namespace ristretto::binding
