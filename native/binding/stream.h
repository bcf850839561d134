// new Stream({threads, isa, profile, device}): a queue of native operations that run in order on a thread of
// their own, as a CUDA stream does: enqueueing returns at once, sync() resolves when all before it are done.
// Between beginCapture() and endCapture() operations are recorded instead; launch(graph) then enqueues them
// all at once. Operations enqueued while `cancellation` is set can be cancelled.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cancellation.h"
#include "environment.h"
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

  // Ends its threads, in the middle of what they do; pending syncs are rejected.
  void stop();

 private:
  struct Task {
    // What to run: one operation, or all that a graph holds; neither in a marker.
    Operation operation;
    std::shared_ptr<const Recording> graph;
    std::shared_ptr<CancelFlag> cancel;  // or null
    PendingPromise* promise = nullptr;   // the marker of a sync
    bool blocks = false;                 // the marker of a syncBlocking
    bool cancelled() const { return cancel && cancel->load(); }
  };
  // The first failure since the last sync.
  struct Failure {
    std::string error;  // empty: none
    std::string label;
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
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value threads(const Napi::CallbackInfo& info);
  Napi::Value cancellation(const Napi::CallbackInfo& info);
  void set_cancellation(const Napi::CallbackInfo& info, const Napi::Value& value);
  void close(const Napi::CallbackInfo& info);
  void loop();
  void push(Task task);
  void run(Task& task);
  void run(const Operation& operation);
  void run_recorded(const std::shared_ptr<const Recording>& recording);
  void fail_once(Failure failure);
  Failure take_failure();
  // Waits for the stream's device; what failed there is the stream's error.
  void wait_for_device();
  void refuse_during_capture(const char* what);

  std::shared_ptr<Environment> environment_;
  std::unique_ptr<Place> place_;  // null once the stream is closed
  int threads_ = 0;
  bool on_device_ = false;
  Napi::ObjectReference device_;  // the Device of place_; empty for the processor
  bool profiling_ = false;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Task> tasks_;
  std::vector<Task> in_flight_;          // launched since the last wait; the stream's thread only
  uint64_t blocking_reached_ = 0;        // markers of syncBlocking
  CancelFlag stopping_{false};           // set under the mutex
  std::shared_ptr<CancelFlag> running_;  // what cancels the task that runs; under the mutex
  Failure failure_;                      // set by the stream's thread alone, under the mutex
  std::map<std::pair<std::string, std::string>, Timing> timings_;  // (label, op)
  // JavaScript thread only.
  uint64_t blocking_asked_ = 0;
  Napi::ObjectReference cancellation_;  // the Cancellation of what is enqueued; empty: none
  std::shared_ptr<CancelFlag> cancel_;  // its flag
  std::unique_ptr<Recording> capture_;  // null unless a capture is under way
  std::thread thread_;
};

}  // namespace ristretto::binding
