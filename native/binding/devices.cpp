#include "devices.h"

#include <cmath>
#include <map>
#include <string>

#include "handles.h"
#include "place.h"
#if defined(RISTRETTO_CUDA)
#include "cuda/pinned_memory.h"
#endif

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

std::shared_ptr<MemorySource> pinned_memory() { return cuda::pinned_memory(); }

#else

// CMake always builds devices, if only the executor's (context_emulated.cpp); node-gyp never does.
const char* const kWithoutCuda =
    "this build has no kernels for GPUs: node-gyp made it, for the processor alone; with cmake installed, "
    "`npm run build` makes them";

Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("devices", Napi::Array::New(info.Env()));
  result.Set("why", kWithoutCuda);
  return result;
}

std::shared_ptr<MemorySource> memory_of(int, size_t) { fail("no GPU can be used: ", kWithoutCuda); }
std::shared_ptr<MemorySource> pinned_memory() { return nullptr; }

#endif

cuda::Math math_of(const Napi::Value& value) {
  static const std::map<std::string, cuda::Math> names = {
      {"fp32", cuda::Math::fp32}, {"tf32", cuda::Math::tf32}, {"bf16", cuda::Math::bf16}};
  if (value.IsUndefined()) return cuda::Math::fp32;
  const auto found = names.find(value.ToString().Utf8Value());
  if (found == names.end())
    throw Napi::TypeError::New(value.Env(), "Device: math must be 'fp32', 'tf32' or 'bf16'");
  return found->second;
}

}  // namespace

DeviceHandle::DeviceHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceHandle>(info) {
  Napi::Env env = info.Env();
  const double id = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (!(id >= 0 && id < 1024) || id != std::floor(id))
    throw Napi::TypeError::New(env, "Device: the id must be a whole number from 0 on");
  const Napi::Object options = info[1].IsObject() ? info[1].As<Napi::Object>() : Napi::Object::New(env);
  double limit = 0;
  if (const Napi::Value given = options.Get("memoryLimit"); !given.IsUndefined()) {
    limit = given.IsNumber() ? given.As<Napi::Number>().DoubleValue() : -1;
    if (!(limit >= 0 && limit < 9007199254740992.0))
      throw Napi::TypeError::New(env, "Device: the memory limit must be a number of bytes, 0 for none");
  }
  choice_.math = math_of(options.Get("math"));
  choice_.id = int(id);
  try {
    choice_.memory = memory_of(choice_.id, size_t(limit));
    choice_.pinned = pinned_memory();
  } catch (const Error& e) {
    throw Napi::Error::New(env, e.what());
  }
}

void DeviceHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(env, "Device", {InstanceAccessor<&DeviceHandle::id>("id")});
  state_of(env).device_class = Napi::Persistent(constructor);
  exports.Set("Device", constructor);
}

Napi::Value DeviceHandle::id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), choice_.id);
}

DeviceChoice device_of(const Napi::Value& value) {
  if (value.IsUndefined() || value.IsNull()) return {};
  const DeviceHandle* device = unwrap<DeviceHandle>(value, state_of(value.Env()).device_class);
  if (!device) throw Napi::TypeError::New(value.Env(), "device must be a Device, or null for the processor");
  return device->choice();
}

void define_devices(Napi::Env env, Napi::Object exports) {
  DeviceHandle::define(env, exports);
  exports.Set("devices", Napi::Function::New(env, devices, "devices"));
}

}  // namespace ristretto::binding
