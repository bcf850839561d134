#include "devices.h"

#include <cmath>
#include <map>
#include <string>

#include "handles.h"
#include "place.h"

namespace ristretto::binding {

namespace {

#if defined(RISTRETTO_CUDA)

Napi::Object describe(Napi::Env env, const cuda::DeviceInfo& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", info.id);
  object.Set("name", info.name);
  object.Set("capability", std::to_string(info.major) + "." + std::to_string(info.minor));
  object.Set("multiprocessors", info.multiprocessors);
  object.Set("memory", double(info.memory_bytes));
  object.Set("unusable", info.unusable);
  return object;
}

Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string why;
  const auto found = cuda::devices(why);
  Napi::Object result = Napi::Object::New(env);
  Napi::Array list = Napi::Array::New(env);
  for (const cuda::DeviceInfo& device : found) list.Set(list.Length(), describe(env, device));
  result.Set("devices", list);
  result.Set("why", why);
  return result;
}

// What a device needs to be used: throws Error when it is not there or of no use.
std::shared_ptr<MemorySource> memory_of(int device, size_t limit) {
  cuda::usable_device(device);
  return std::make_shared<cuda::ManagedPool>(device, limit);
}

#else

const char* const kWithoutCuda = "this build has no kernels for GPUs: nvcc was not found when it was made";

Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("devices", Napi::Array::New(info.Env()));
  result.Set("why", kWithoutCuda);
  return result;
}

std::shared_ptr<MemorySource> memory_of(int, size_t) { fail("no GPU can be used: ", kWithoutCuda); }

#endif

cuda::Math math_of(const Napi::Value& value) {
  static const std::map<std::string, cuda::Math> names = {
      {"fp32", cuda::Math::fp32}, {"tf32", cuda::Math::tf32}, {"bf16", cuda::Math::bf16}};
  if (value.IsUndefined()) return cuda::Math::fp32;
  const auto found = names.find(value.ToString().Utf8Value());
  if (found == names.end())
    throw Napi::TypeError::New(value.Env(), "useDevice: math must be 'fp32', 'tf32' or 'bf16'");
  return found->second;
}

void use_device(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  DeviceChoice choice;
  if (!info[0].IsNull() && !info[0].IsUndefined()) {
    const double id = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
    if (!(id >= 0 && id < 1024) || id != std::floor(id))
      throw Napi::TypeError::New(env, "useDevice: the device must be a whole number from 0 on, or null");
    const Napi::Object options = info[1].IsObject() ? info[1].As<Napi::Object>() : Napi::Object::New(env);
    double limit = 0;
    if (const Napi::Value given = options.Get("memoryLimit"); !given.IsUndefined()) {
      limit = given.IsNumber() ? given.As<Napi::Number>().DoubleValue() : -1;
      if (!(limit >= 0 && limit < 9007199254740992.0))
        throw Napi::TypeError::New(env, "useDevice: the memory limit must be a number of bytes, 0 for none");
    }
    choice.math = math_of(options.Get("math"));
    choice.id = int(id);
    try {
      choice.memory = memory_of(choice.id, size_t(limit));
    } catch (const Error& e) {
      throw Napi::Error::New(env, e.what());
    }
  }
  state_of(env).device = choice;
}

}  // namespace

void define_devices(Napi::Env env, Napi::Object exports) {
  exports.Set("devices", Napi::Function::New(env, devices, "devices"));
  exports.Set("useDevice", Napi::Function::New(env, use_device, "useDevice"));
}

}  // namespace ristretto::binding
