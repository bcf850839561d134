// The objects that JavaScript holds: memory, views of it, packed weights. Each owns a share of what it points
// to, so an operation in flight keeps its operands alive whatever the garbage collector does.
#pragma once

#include <napi.h>

#include <memory>

#include "core/aligned_buffer.h"
#include "core/op/convolution/convolution.h"
#include "core/tensor_view.h"
#include "cuda/product_math.h"

namespace ristretto::binding {

// -1 and null: the processor.
struct DeviceChoice {
  int id = -1;
  std::shared_ptr<MemorySource> memory;
  std::shared_ptr<MemorySource> pinned;  // null: the host's own
  cuda::Math math = cuda::Math::fp32;
};

class Environment;

struct EnvironmentState {
  std::shared_ptr<Environment> environment;
  Napi::FunctionReference buffer_class;
  Napi::FunctionReference tensor_class;
  Napi::FunctionReference code_tensor_class;
  Napi::FunctionReference packed_class;
  Napi::FunctionReference stream_class;
  Napi::FunctionReference graph_class;
  Napi::FunctionReference device_class;
  Napi::FunctionReference cancellation_class;
};
inline EnvironmentState& state_of(Napi::Env env) { return *env.GetInstanceData<EnvironmentState>(); }

// new Device(id, {memoryLimit, math}): a GPU to make memory and streams on. All memory made with one Device
// comes from its pool, which the limit holds for.
class DeviceHandle : public Napi::ObjectWrap<DeviceHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit DeviceHandle(const Napi::CallbackInfo& info);
  const DeviceChoice& choice() const { return choice_; }

 private:
  Napi::Value id(const Napi::CallbackInfo& info);
  DeviceChoice choice_;
};

// What an argument that is a Device, or null or undefined for the processor, stands for; throws otherwise.
DeviceChoice device_of(const Napi::Value& value);

// A block of memory that JavaScript can free at once: its views hold the block, operations in flight the
// memory.
struct Block {
  std::shared_ptr<AlignedBuffer> memory;  // null once it was freed
};
// The memory of a view; throws where it was freed.
const std::shared_ptr<AlignedBuffer>& memory_of(Napi::Env env, const Block& block);

// new Buffer(bytes, device?, pinned?): zeroed, 64-byte aligned. Pinned: memory of the host that the device's
// copy engine reads. .arrayBuffer: the same memory for JavaScript. .free(): gives the memory back now, or
// when the operations that use it are done; array buffers of it are detached, views of it refused.
class BufferHandle : public Napi::ObjectWrap<BufferHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit BufferHandle(const Napi::CallbackInfo& info);
  ~BufferHandle() override;
  const std::shared_ptr<Block>& block() const { return block_; }

 private:
  Napi::Value array_buffer(const Napi::CallbackInfo& info);
  Napi::Value byte_length(const Napi::CallbackInfo& info);
  void free(const Napi::CallbackInfo& info);
  std::shared_ptr<Block> block_ = std::make_shared<Block>();
  Napi::Reference<Napi::ArrayBuffer> array_buffer_;
};

// new Tensor(buffer, byteOffset, type, shape, imageStride?): a checked view.
class TensorHandle : public Napi::ObjectWrap<TensorHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit TensorHandle(const Napi::CallbackInfo& info);
  const Tensor& view() const { return view_; }
  const Block& block() const { return *block_; }

 private:
  Tensor view_;
  std::shared_ptr<Block> block_;
};

// new PackedWeights(): weights in a kernel's own order, kept between forwards. .free(): gives their memory
// back now, or when the operations that use it are done; it can be packed into again.
class PackedHandle : public Napi::ObjectWrap<PackedHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit PackedHandle(const Napi::CallbackInfo& info);
  const std::shared_ptr<PackedWeights>& packed() const { return packed_; }

 private:
  void free(const Napi::CallbackInfo&) { packed_ = std::make_shared<PackedWeights>(); }
  std::shared_ptr<PackedWeights> packed_ = std::make_shared<PackedWeights>();
};

// Unwraps after checking the class; nullptr where the value is something else.
template <class Handle>
Handle* unwrap(Napi::Value value, const Napi::FunctionReference& of) {
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(of.Value())) return nullptr;
  return Napi::ObjectWrap<Handle>::Unwrap(value.As<Napi::Object>());
}

}  // namespace ristretto::binding
