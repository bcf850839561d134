#include "core/op/convolution_fixed.h"

#include "fixed_bound.h"
#include "op_binding.h"

namespace ristretto::binding {

namespace {

std::vector<Field<ConvolutionFixedArguments>> fields() {
  using A = ConvolutionFixedArguments;
  return {
      codes("src", &A::src),
      tensor("weights", &A::weights),
      optional_tensor("bias", &A::bias),
      codes("dst", &A::dst),
      integer("strideH", &A::stride_h, true, 1),
      integer("strideW", &A::stride_w, true, 1),
      integer("padH", &A::pad_h, true, 0),
      integer("padW", &A::pad_w, true, 0),
      integer("dilationH", &A::dilation_h, true, 1),
      integer("dilationW", &A::dilation_w, true, 1),
      integer("group", &A::group, true, 1),
      integer("spreadH", &A::spread_h, false, 1),
      integer("spreadW", &A::spread_w, false, 1),
      integer("srcFractionalLength", &A::src_fractional_length, true, -126, 126),
      integer("weightsFractionalLength", &A::weights_fractional_length, true, -126, 126),
      integer("weightsBitWidth", &A::weights_bit_width, false, 1, 16),
      code_format("output", &A::output),
      boolean("relu", &A::relu),
      {"consumer", "codeFormat?", false,
       [](Napi::Value v, A& a, Keep&) {
         a.consumer = code_format_from(v, 16);
         a.requantises = true;
       }},
      rounding("rounding", &A::rounding),
      packed_weights("packed", &A::packed),
      integer("weightsVersion", &A::weights_version, false, 0),
  };
}

Napi::Value fixed_bound_of(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "fixedBound: the argument must be an object");
  ConvolutionFixedArguments a;
  Keep keep;
  read_fields(env, "fixedBound", "", fields(), info[0].As<Napi::Object>(), a, keep);
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

BoundOp bind_convolution_fixed() { return bind<ConvolutionFixed>("convolutionFixed", fields()); }

void define_fixed_bound(Napi::Env env, Napi::Object exports) {
  exports.Set("fixedBound", Napi::Function::New(env, fixed_bound_of, "fixedBound"));
}

}  // namespace ristretto::binding
