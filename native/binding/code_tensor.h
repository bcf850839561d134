// new CodeTensor(buffer, byteOffset, layout): a checked view of activation codes.
#pragma once

#include "core/code_tensor.h"
#include "handles.h"

namespace ristretto::binding {

class CodeTensorHandle : public Napi::ObjectWrap<CodeTensorHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit CodeTensorHandle(const Napi::CallbackInfo& info);
  const CodeTensor& view() const { return view_; }
  const Block& block() const { return *block_; }

 private:
  CodeTensor view_;
  std::shared_ptr<Block> block_;
};

}  // namespace ristretto::binding
