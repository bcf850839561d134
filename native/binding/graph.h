// What a stream recorded between beginCapture and endCapture: operations, checked already, that own shares of
// their operands. Opaque to JavaScript, which hands it back to launch; never changed after it was made, until
// free() drops the operations and their shares.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "place.h"

namespace ristretto::binding {

struct Operation {
  const char* op = nullptr;
  std::string label;  // names the layer in errors and profiles
  std::function<void(Place&)> run;
};
using Recording = std::vector<Operation>;

class GraphHandle : public Napi::ObjectWrap<GraphHandle> {
 public:
  static void define(Napi::Env env);
  static Napi::Value make(Napi::Env env, std::shared_ptr<const Recording> recording);
  explicit GraphHandle(const Napi::CallbackInfo& info);
  const std::shared_ptr<const Recording>& recording() const { return recording_; }

 private:
  void free(const Napi::CallbackInfo& info);
  std::shared_ptr<const Recording> recording_;
};

}  // namespace ristretto::binding
