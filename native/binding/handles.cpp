#include "handles.h"

#include <cmath>
#include <string>

namespace ristretto::binding {

namespace {

// A whole number in [0, 2^53); throws naming `what` otherwise.
int64_t whole(const Napi::Value& value, const char* what) {
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (number >= 0 && number < 9007199254740992.0 && number == std::floor(number)) return int64_t(number);
  }
  throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a whole number, not negative");
}

DataType data_type(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "f32") return DataType::f32;
  if (name == "i32") return DataType::i32;
  if (name == "i16") return DataType::i16;
  if (name == "i8") return DataType::i8;
  if (name == "u8") return DataType::u8;
  throw Napi::TypeError::New(value.Env(), "type must be 'f32', 'i32', 'i16', 'i8' or 'u8'");
}

}  // namespace

void BufferHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(env, "Buffer",
                                           {InstanceAccessor<&BufferHandle::array_buffer>("arrayBuffer"),
                                            InstanceAccessor<&BufferHandle::byte_length>("byteLength")});
  state_of(env).buffer_class = Napi::Persistent(constructor);
  exports.Set("Buffer", constructor);
}

BufferHandle::BufferHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BufferHandle>(info) {
  const int64_t bytes = whole(info[0], "bytes");
  const DeviceChoice device = device_of(info[1]);
  try {
    storage_ =
        std::make_shared<AlignedBuffer>(size_t(bytes), info[2].ToBoolean() ? device.pinned : device.memory);
  } catch (const Error& e) {
    throw Napi::RangeError::New(info.Env(), e.what());
  }
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes);
}

BufferHandle::~BufferHandle() {
  if (storage_) Napi::MemoryManagement::AdjustExternalMemory(Env(), -int64_t(storage_->size()));
}

Napi::Value BufferHandle::byte_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(storage_->size()));
}

Napi::Value BufferHandle::array_buffer(const Napi::CallbackInfo& info) {
  // One ArrayBuffer per block for good: V8 refuses a second one over the same memory.
  if (array_buffer_.IsEmpty()) {
    Napi::ArrayBuffer view =
        storage_->size() == 0 ? Napi::ArrayBuffer::New(info.Env(), 0)
                              : Napi::ArrayBuffer::New(info.Env(), storage_->data(), storage_->size(),
                                                       [keep = new std::shared_ptr<AlignedBuffer>(storage_)](
                                                           Napi::Env, void*) { delete keep; });
    array_buffer_ = Napi::Reference<Napi::ArrayBuffer>::New(view, 1);
  }
  return array_buffer_.Value();
}

void TensorHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(env, "Tensor", {});
  state_of(env).tensor_class = Napi::Persistent(constructor);
  exports.Set("Tensor", constructor);
}

TensorHandle::TensorHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TensorHandle>(info) {
  Napi::Env env = info.Env();
  BufferHandle* buffer = unwrap<BufferHandle>(info[0], state_of(env).buffer_class);
  if (!buffer) throw Napi::TypeError::New(env, "a Tensor needs a Buffer");
  const int64_t offset = whole(info[1], "byteOffset");
  view_.type = data_type(info[2]);
  if (!info[3].IsArray()) throw Napi::TypeError::New(env, "shape must be an array");
  Napi::Array shape = info[3].As<Napi::Array>();
  if (shape.Length() > uint32_t(Tensor::kMaxRank))
    throw Napi::RangeError::New(env, "a shape has at most 8 axes");
  view_.rank = int(shape.Length());
  double elements = 1;
  for (int axis = 0; axis < view_.rank; ++axis) {
    view_.dim[axis] = whole(shape.Get(uint32_t(axis)), "a dimension");
    elements *= double(view_.dim[axis]);
  }
  if (elements > 9e15) throw Napi::RangeError::New(env, "shape " + view_.shape_text() + " is too large");
  view_.image_stride = view_.image_count();
  if (!info[4].IsUndefined()) {
    view_.image_stride = whole(info[4], "imageStride");
    if (view_.image_stride < view_.image_count())
      throw Napi::RangeError::New(env, "imageStride is below the image's size");
  }
  const double last =
      elements == 0 ? 0
                    : double(view_.images() - 1) * double(view_.image_stride) + double(view_.image_count());
  const double end = double(offset) + last * double(size_of(view_.type));
  if (end > double(buffer->storage()->size()) || offset % size_of(view_.type) != 0)
    throw Napi::RangeError::New(env, "shape " + view_.shape_text() + " does not fit its Buffer");
  storage_ = buffer->storage();
  // A pointer that is never null: an empty tensor is present, an absent one is not.
  static char nothing;
  view_.data = storage_->data() ? static_cast<char*>(storage_->data()) + offset : &nothing;
}

void PackedHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(env, "PackedWeights", {});
  state_of(env).packed_class = Napi::Persistent(constructor);
  exports.Set("PackedWeights", constructor);
}

PackedHandle::PackedHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PackedHandle>(info) {}

}  // namespace ristretto::binding
