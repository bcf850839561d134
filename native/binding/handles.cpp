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
                                            InstanceAccessor<&BufferHandle::byte_length>("byteLength"),
                                            InstanceMethod<&BufferHandle::free>("free")});
  state_of(env).buffer_class = Napi::Persistent(constructor);
  exports.Set("Buffer", constructor);
}

BufferHandle::BufferHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BufferHandle>(info) {
  const int64_t bytes = whole(info[0], "bytes");
  const DeviceChoice device = device_of(info[1]);
  try {
    block_->memory =
        std::make_shared<AlignedBuffer>(size_t(bytes), info[2].ToBoolean() ? device.pinned : device.memory);
  } catch (const Error& e) {
    throw Napi::RangeError::New(info.Env(), e.what());
  }
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes);
}

BufferHandle::~BufferHandle() {
  if (block_->memory) Napi::MemoryManagement::AdjustExternalMemory(Env(), -int64_t(block_->memory->size()));
}

const std::shared_ptr<AlignedBuffer>& memory_of(Napi::Env env, const Block& block) {
  if (!block.memory) throw Napi::Error::New(env, "its memory was freed: the net that owned it is closed");
  return block.memory;
}

Napi::Value BufferHandle::byte_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), block_->memory ? double(block_->memory->size()) : 0);
}

Napi::Value BufferHandle::array_buffer(const Napi::CallbackInfo& info) {
  const std::shared_ptr<AlignedBuffer>& memory = memory_of(info.Env(), *block_);
  // One ArrayBuffer per block for good: V8 refuses a second one over the same memory.
  if (array_buffer_.IsEmpty()) {
    Napi::ArrayBuffer view = memory->size() == 0
                                 ? Napi::ArrayBuffer::New(info.Env(), 0)
                                 : Napi::ArrayBuffer::New(info.Env(), memory->data(), memory->size(),
                                                          [keep = new std::shared_ptr<Block>(block_)](
                                                              Napi::Env, void*) { delete keep; });
    array_buffer_ = Napi::Reference<Napi::ArrayBuffer>::New(view, 1);
  }
  return array_buffer_.Value();
}

void BufferHandle::free(const Napi::CallbackInfo& info) {
  if (!block_->memory) return;
  if (!array_buffer_.IsEmpty()) {
    array_buffer_.Value().Detach();
    array_buffer_.Reset();
  }
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), -int64_t(block_->memory->size()));
  block_->memory.reset();
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
  const AlignedBuffer& memory = *memory_of(env, *buffer->block());
  if (end > double(memory.size()) || offset % size_of(view_.type) != 0)
    throw Napi::RangeError::New(env, "shape " + view_.shape_text() + " does not fit its Buffer");
  block_ = buffer->block();
  // A pointer that is never null: an empty tensor is present, an absent one is not.
  static char nothing;
  view_.data = memory.data() ? static_cast<char*>(memory.data()) + offset : &nothing;
}

void PackedHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor =
      DefineClass(env, "PackedWeights", {InstanceMethod<&PackedHandle::free>("free")});
  state_of(env).packed_class = Napi::Persistent(constructor);
  exports.Set("PackedWeights", constructor);
}

PackedHandle::PackedHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PackedHandle>(info) {}

}  // namespace ristretto::binding
