// new Stream({threads, isa, profile, device}): a queue of native operations that run in order on a thread of
// their own, as a CUDA stream does: enqueueing returns at once, sync() resolves when all before it are done.
// Between beginCapture() and endCapture() operations are recorded instead; launch(graph) then enqueues them
// all at once.
#pragma once

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "graph.h"
#include "place.h"

namespace ristretto::binding {

class StreamHandle : public Napi::ObjectWrap<StreamHandle> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  explicit StreamHandle(const Napi::CallbackInfo& info);
  ~StreamHandle() override;

  // `label` names the layer in errors and profiles; `run` owns what it needs.
  void enqueue(const char* op, std::string label, std::function<void(Place&)> run);

 private:
  struct Task {
    // What to run: one operation, or all that a graph holds; neither in a marker.
    Operation operation;
    std::shared_ptr<const Recording> graph;
    Napi::Promise::Deferred* deferred = nullptr;
    bool blocks = false;  // the marker of a syncBlocking
  };
  struct Outcome {
    Napi::Promise::Deferred* deferred;
    std::string error;
  };
  struct Timing {
    double seconds = 0;
    int64_t calls = 0;
  };

  Napi::Value sync(const Napi::CallbackInfo& info);
  void sync_blocking(const Napi::CallbackInfo& info);
  void begin_capture(const Napi::CallbackInfo& info);
  Napi::Value end_capture(const Napi::CallbackInfo& info);
  void launch(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);
  Napi::Value on_device(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value threads(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);
  void stop();
  void loop();
  void push(Task task);
  void run(const Operation& operation);
  void run_recorded(const std::shared_ptr<const Recording>& recording);
  // Waits for the stream's device; what failed there is the stream's error.
  void wait_for_device();
  void refuse_during_capture(const char* what);
  static void settle(Napi::Env env, Napi::Function, void*, Outcome* outcome);
  using Settler = Napi::TypedThreadSafeFunction<void, Outcome, settle>;

  std::unique_ptr<Place> place_;
  Napi::ObjectReference device_;  // the Device of place_; empty for the processor
  bool profiling_ = false;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Task> tasks_;
  std::vector<Task> in_flight_;        // launched since the last wait; the stream's thread only
  uint64_t blocking_reached_ = 0;      // markers of syncBlocking
  std::atomic<bool> stopping_{false};  // set under the mutex
  std::string error_;                  // first failure since the last sync
  std::map<std::pair<std::string, std::string>, Timing> timings_;  // (label, op)
  Settler settler_;
  uint64_t blocking_asked_ = 0;         // JavaScript thread only
  int pending_syncs_ = 0;               // JavaScript thread only
  std::unique_ptr<Recording> capture_;  // JavaScript thread only; null unless a capture is under way
  std::thread thread_;
};

}  // namespace ristretto::binding
