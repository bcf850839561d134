// Binds an op of the core to JavaScript: `name(stream, {fields…, label})`. An op is a struct with a name,
// Arguments, check(Arguments) and run(Context&, Arguments); its arguments say which JavaScript property fills
// which member (core/op_fields.h). Everything is checked on the JavaScript thread, before the op is enqueued.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "code_tensor.h"
#include "core/context.h"
#include "core/epilogue.h"
#include "core/format/trim_format.h"
#include "core/op/elementwise/elementwise.h"
#include "core/op_fields.h"
#include "environment.h"
#include "handles.h"
#include "stream.h"

namespace ristretto::binding {

// Shares of everything an operation in flight points to.
using Keep = std::vector<std::shared_ptr<void>>;

int64_t integer_from(Napi::Value value, int64_t least, int64_t most);
double number_from(Napi::Value value);
TrimFormat trim_format_from(Napi::Value value);

// The kind of a member's values, as in the typed native surface, where "?" marks what may be left out.
struct FieldKind {
  const char* name;
  bool always_optional = false;
};
template <class T>
inline constexpr FieldKind kind_of = {nullptr};
template <class T>
requires std::is_enum_v<T>
inline constexpr FieldKind kind_of<T> = {"choice"};
template <>
inline constexpr FieldKind kind_of<Tensor> = {"tensor"};
template <>
inline constexpr FieldKind kind_of<std::vector<Tensor>> = {"tensor[]"};
template <>
inline constexpr FieldKind kind_of<CodeTensor> = {"codes"};
template <>
inline constexpr FieldKind kind_of<CodeFormat> = {"codeFormat"};
template <>
inline constexpr FieldKind kind_of<Rounding> = {"rounding", true};
template <>
inline constexpr FieldKind kind_of<int> = {"integer"};
template <>
inline constexpr FieldKind kind_of<int64_t> = {"integer"};
template <>
inline constexpr FieldKind kind_of<std::vector<int64_t>> = {"integer[]"};
template <>
inline constexpr FieldKind kind_of<float> = {"number"};
template <>
inline constexpr FieldKind kind_of<double> = {"number"};
template <>
inline constexpr FieldKind kind_of<std::vector<float>> = {"number[]", true};
template <>
inline constexpr FieldKind kind_of<bool> = {"boolean", true};
template <>
inline constexpr FieldKind kind_of<TrimFormat> = {"trimFormat", true};
template <>
inline constexpr FieldKind kind_of<RandomStream> = {"randomStream", true};
template <>
inline constexpr FieldKind kind_of<PackedWeights*> = {"packed", true};
template <>
inline constexpr FieldKind kind_of<std::vector<ElementwiseStep>> = {"step[]"};

// Reads a member of each kind. Throws Napi::Error, without the field's name, where `value` is none.
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, Tensor& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, std::vector<Tensor>& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, CodeTensor& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, CodeFormat& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, Rounding& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, int& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, int64_t& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, std::vector<int64_t>& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, float& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, double& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, std::vector<float>& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, bool& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, TrimFormat& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, RandomStream& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, PackedWeights*& into);
void read(Napi::Value value, const FieldSpec& spec, Keep& keep, std::vector<ElementwiseStep>& into);

// An enum's names without their values.
struct Choices {
  const char* type;
  const char* doc;
  std::vector<const char*> names;
};
template <class Enum>
const Choices& choices_of() {
  static const Choices choices = [] {
    Choices made{names_of<Enum>.type, names_of<Enum>.doc, {}};
    for (const auto& value : names_of<Enum>.values) made.names.push_back(value.name);
    return made;
  }();
  return choices;
}
// The place of the name that was given. Throws "must be one of …".
size_t choice_from(Napi::Value value, const Choices& choices);

template <class Enum>
requires std::is_enum_v<Enum>
void read(Napi::Value value, const FieldSpec&, Keep&, Enum& into) {
  into = names_of<Enum>.values[choice_from(value, choices_of<Enum>())].value;
}

// The choices that a member's values are made of, or null.
template <class T>
const Choices* choices_in() {
  if constexpr (std::is_enum_v<T>) return &choices_of<T>();
  if constexpr (std::is_same_v<T, std::vector<ElementwiseStep>>) return &choices_of<StepOperation>();
  return nullptr;
}

template <class Arguments>
struct Field {
  FieldSpec spec;
  const char* kind;
  const Choices* choices;
  std::function<void(Napi::Value value, const FieldSpec& spec, Arguments& arguments, Keep& keep)> set;
};

// What an op's arguments are asked with: collects their fields (core/op_fields.h).
template <class Arguments>
class FieldTable {
 public:
  FieldTable() { Arguments::fields(*this); }

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

  template <class Owner, class T>
  FieldSpec& operator()(std::string name, T Owner::*member) {
    return add<T>(std::move(name), [member](Arguments& a) -> T& { return a.*member; });
  }
  template <class Owner, class Part, class T>
  FieldSpec& operator()(std::string name, Part Owner::*part, T Part::*member) {
    return add<T>(std::move(name), [part, member](Arguments& a) -> T& { return a.*part.*member; });
  }
  template <class Owner, class T>
  FieldSpec& operator()(std::string name, T Owner::*member, bool Owner::*given) {
    return add<T>(std::move(name), [member, given](Arguments& a) -> T& {
      a.*given = true;
      return a.*member;
    });
  }

 private:
  template <class T, class MemberOf>
  FieldSpec& add(std::string name, MemberOf member_of) {
    static_assert(kind_of<T>.name, "no field has this type");
    FieldSpec spec;
    spec.name = std::move(name);
    spec.required = !kind_of<T>.always_optional;
    if constexpr (std::is_same_v<T, CodeFormat>) spec.at_most(16);
    fields_.push_back({std::move(spec), kind_of<T>.name, choices_in<T>(),
                       [member_of](Napi::Value value, const FieldSpec& field, Arguments& a, Keep& keep) {
                         read(value, field, keep, member_of(a));
                       }});
    return fields_.back().spec;
  }

  std::vector<Field<Arguments>> fields_;
};

// A field for the surface test and the generated types.
struct FieldDescription {
  std::string name, kind, doc;
  const Choices* choices;
};

// One bound op: its JavaScript function, and what it says of itself.
struct BoundOp {
  const char* name;
  const char* doc;
  std::function<void(const Napi::CallbackInfo&)> call;
  std::vector<FieldDescription> fields;
};

StreamHandle& stream_from(const Napi::CallbackInfo& info, const char* op);
[[noreturn]] void rethrow_field_error(Napi::Env env, const char* op, const std::string& label,
                                      const std::string& field, const std::string& message);

// Fills `arguments` from the object's properties, each checked.
template <class Arguments>
void read_fields(Napi::Env env, const char* op, const std::string& label, const FieldTable<Arguments>& fields,
                 Napi::Object object, Arguments& arguments, Keep& keep) {
  for (const auto& field : fields) {
    Napi::Value value = object.Get(field.spec.name.c_str());
    if (value.IsUndefined() || value.IsNull()) {
      if (field.spec.required) rethrow_field_error(env, op, label, field.spec.name, "is missing");
      continue;
    }
    try {
      field.set(value, field.spec, arguments, keep);
    } catch (const Napi::Error& e) {
      rethrow_field_error(env, op, label, field.spec.name, e.Message());
    }
  }
}

template <class Op>
BoundOp bind() {
  const char* const name = Op::name;
  FieldTable<typename Op::Arguments> fields;
  BoundOp bound{name, "", nullptr, {}};
  if constexpr (requires { Op::doc; }) bound.doc = Op::doc;
  for (const auto& [spec, kind, choices, set] : fields)
    bound.fields.push_back({spec.name, std::string(kind) + (spec.required ? "" : "?"), spec.text, choices});
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
