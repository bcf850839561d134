// Binds an op of the core to JavaScript: `name(stream, {fields…, label})`. An op is a struct with Arguments,
// check(Arguments) and run(Context&, Arguments); its binding is one table that says which JavaScript property
// fills which member. Everything is checked on the JavaScript thread, before the op is enqueued.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "code_tensor.h"
#include "core/context.h"
#include "core/epilogue.h"
#include "core/format/trim_format.h"
#include "environment.h"
#include "handles.h"
#include "stream.h"

namespace ristretto::binding {

// Shares of everything an operation in flight points to.
using Keep = std::vector<std::shared_ptr<void>>;

template <class Arguments>
struct Field {
  const char* name;
  const char* kind;  // as in the typed native surface: tensor, tensor?, tensor[], integer, number, …
  bool required;
  std::function<void(Napi::Value value, Arguments& arguments, Keep& keep)> set;
};

Tensor tensor_from(Napi::Value value, Keep& keep);
CodeTensor codes_from(Napi::Value value, Keep& keep);
Rounding rounding_from(Napi::Value value);
CodeFormat code_format_from(Napi::Value value, int most_bits);
int64_t integer_from(Napi::Value value, int64_t least, int64_t most);
double number_from(Napi::Value value);
TrimFormat trim_format_from(Napi::Value value);
RandomStream random_stream_from(Napi::Value value);

template <class A>
Field<A> tensor(const char* name, Tensor A::*member) {
  return {name, "tensor", true, [=](Napi::Value v, A& a, Keep& keep) { a.*member = tensor_from(v, keep); }};
}
template <class A>
Field<A> optional_tensor(const char* name, Tensor A::*member) {
  return {name, "tensor?", false, [=](Napi::Value v, A& a, Keep& keep) { a.*member = tensor_from(v, keep); }};
}
template <class A>
Field<A> tensors(const char* name, std::vector<Tensor> A::*member) {
  return {name, "tensor[]", true, [=](Napi::Value v, A& a, Keep& keep) {
            if (!v.IsArray()) throw Napi::TypeError::New(v.Env(), "must be an array of tensors");
            Napi::Array list = v.As<Napi::Array>();
            for (uint32_t i = 0; i < list.Length(); ++i)
              (a.*member).push_back(tensor_from(list.Get(i), keep));
          }};
}
template <class A>
Field<A> codes(const char* name, CodeTensor A::*member) {
  return {name, "codes", true, [=](Napi::Value v, A& a, Keep& keep) { a.*member = codes_from(v, keep); }};
}
template <class A>
Field<A> code_format(const char* name, CodeFormat A::*member, int most_bits = 16) {
  return {name, "codeFormat", true,
          [=](Napi::Value v, A& a, Keep&) { a.*member = code_format_from(v, most_bits); }};
}
template <class A>
Field<A> rounding(const char* name, Rounding A::*member) {
  return {name, "rounding?", false, [=](Napi::Value v, A& a, Keep&) { a.*member = rounding_from(v); }};
}
template <class A, class Integer>
Field<A> integer(const char* name, Integer A::*member, bool required = false,
                 int64_t least = std::numeric_limits<int32_t>::min(), int64_t most = int64_t{1} << 53) {
  return {name, required ? "integer" : "integer?", required,
          [=](Napi::Value v, A& a, Keep&) { a.*member = Integer(integer_from(v, least, most)); }};
}
template <class A, class Number>
Field<A> number(const char* name, Number A::*member, bool required = false) {
  return {name, required ? "number" : "number?", required,
          [=](Napi::Value v, A& a, Keep&) { a.*member = Number(number_from(v)); }};
}
template <class A, class Number>
Field<A> numbers(const char* name, std::vector<Number> A::*member) {
  return {name, "number[]?", false, [=](Napi::Value v, A& a, Keep&) {
            if (!v.IsArray()) throw Napi::TypeError::New(v.Env(), "must be an array of numbers");
            Napi::Array list = v.As<Napi::Array>();
            for (uint32_t i = 0; i < list.Length(); ++i)
              (a.*member).push_back(Number(number_from(list.Get(i))));
          }};
}
template <class A>
Field<A> integers(const char* name, std::vector<int64_t> A::*member) {
  return {name, "integer[]", true, [=](Napi::Value v, A& a, Keep&) {
            if (!v.IsArray()) throw Napi::TypeError::New(v.Env(), "must be an array of whole numbers");
            Napi::Array list = v.As<Napi::Array>();
            for (uint32_t i = 0; i < list.Length(); ++i)
              (a.*member).push_back(integer_from(list.Get(i), -(int64_t{1} << 53), int64_t{1} << 53));
          }};
}
template <class A>
Field<A> boolean(const char* name, bool A::*member) {
  return {name, "boolean?", false, [=](Napi::Value v, A& a, Keep&) {
            if (!v.IsBoolean()) throw Napi::TypeError::New(v.Env(), "must be true or false");
            a.*member = v.As<Napi::Boolean>().Value();
          }};
}
// A member of an enum class, given by one of the names.
template <class A, class Enum>
Field<A> choice(const char* name, Enum A::*member, std::vector<std::pair<const char*, Enum>> names) {
  return {name, "choice", true, [=](Napi::Value v, A& a, Keep&) {
            const std::string given = v.IsString() ? v.As<Napi::String>().Utf8Value() : "";
            std::string known;
            for (const auto& [text, value] : names) {
              if (given == text) {
                a.*member = value;
                return;
              }
              known += std::string(known.empty() ? "" : ", ") + text;
            }
            throw Napi::TypeError::New(v.Env(), "must be one of " + known);
          }};
}
template <class A>
Field<A> trim_format(const char* name, TrimFormat A::*member) {
  return {name, "trimFormat?", false, [=](Napi::Value v, A& a, Keep&) { a.*member = trim_format_from(v); }};
}
template <class A>
Field<A> random_stream(const char* name, RandomStream A::*member) {
  return {name, "randomStream?", false,
          [=](Napi::Value v, A& a, Keep&) { a.*member = random_stream_from(v); }};
}
template <class A>
Field<A> packed_weights(const char* name, PackedWeights* A::*member) {
  return {name, "packed?", false, [=](Napi::Value v, A& a, Keep& keep) {
            PackedHandle* handle = unwrap<PackedHandle>(v, state_of(v.Env()).packed_class);
            if (!handle) throw Napi::TypeError::New(v.Env(), "must be a PackedWeights");
            a.*member = handle->packed().get();
            keep.push_back(handle->packed());
          }};
}

// The fields of both lists.
template <class A>
std::vector<Field<A>> joined(std::vector<Field<A>> fields, const std::vector<Field<A>>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

// One bound op: its JavaScript function, and its fields for the surface test.
struct BoundOp {
  const char* name;
  std::function<void(const Napi::CallbackInfo&)> call;
  std::vector<std::pair<const char*, const char*>> fields;
};

StreamHandle& stream_from(const Napi::CallbackInfo& info, const char* op);
[[noreturn]] void rethrow_field_error(Napi::Env env, const char* op, const std::string& label,
                                      const char* field, const std::string& message);

// Fills `arguments` from the object's properties, each checked.
template <class Arguments>
void read_fields(Napi::Env env, const char* op, const std::string& label,
                 const std::vector<Field<Arguments>>& fields, Napi::Object object, Arguments& arguments,
                 Keep& keep) {
  for (const auto& field : fields) {
    Napi::Value value = object.Get(field.name);
    if (value.IsUndefined() || value.IsNull()) {
      if (field.required) rethrow_field_error(env, op, label, field.name, "is missing");
      continue;
    }
    try {
      field.set(value, arguments, keep);
    } catch (const Napi::Error& e) {
      rethrow_field_error(env, op, label, field.name, e.Message());
    }
  }
}

template <class Op>
BoundOp bind(const char* name, std::vector<Field<typename Op::Arguments>> fields) {
  BoundOp bound{name, nullptr, {}};
  for (const auto& field : fields) bound.fields.push_back({field.name, field.kind});
  bound.call = [name, fields = std::move(fields)](const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    StreamHandle& stream = stream_from(info, name);
    if (!info[1].IsObject())
      throw Napi::TypeError::New(env, std::string(name) + ": the second argument must be an object");
    Napi::Object object = info[1].As<Napi::Object>();
    Napi::Value given_label = object.Get("label");
    std::string label = given_label.IsString() ? given_label.As<Napi::String>().Utf8Value() : "";
    typename Op::Arguments arguments;
    auto keep = std::make_shared<Keep>();
    read_fields(env, name, label, fields, object, arguments, *keep);
    try {
      Op::check(arguments);
    } catch (const Error& e) {
      throw layer_error(env, label.empty() ? std::string(name) + ": " + e.what() : e.what(), label);
    }
    stream.enqueue(name, std::move(label),
                   [arguments = std::move(arguments), keep = std::move(keep)](Place& place) {
                     place.run<Op>(arguments);
                   });
  };
  return bound;
}

}  // namespace ristretto::binding
