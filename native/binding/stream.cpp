#include "stream.h"

#include <chrono>

#include "handles.h"

namespace ristretto::binding {

void StreamHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(
      env, "Stream",
      {InstanceMethod<&StreamHandle::sync>("sync"),
       InstanceMethod<&StreamHandle::sync_blocking>("syncBlocking"),
       InstanceMethod<&StreamHandle::begin_capture>("beginCapture"),
       InstanceMethod<&StreamHandle::end_capture>("endCapture"),
       InstanceMethod<&StreamHandle::launch>("launch"), InstanceMethod<&StreamHandle::profile>("profile"),
       InstanceMethod<&StreamHandle::close>("close"), InstanceAccessor<&StreamHandle::threads>("threads"),
       InstanceAccessor<&StreamHandle::on_device>("onDevice"),
       InstanceAccessor<&StreamHandle::device>("device")});
  state_of(env).stream_class = Napi::Persistent(constructor);
  exports.Set("Stream", constructor);
}

StreamHandle::StreamHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<StreamHandle>(info) {
  Napi::Env env = info.Env();
  int threads = int(std::thread::hardware_concurrency());
  std::string isa = "auto";
  Napi::Value device = env.Null();
  if (info[0].IsObject()) {
    Napi::Object options = info[0].As<Napi::Object>();
    Napi::Value t = options.Get("threads");
    if (!t.IsUndefined()) {
      threads = t.IsNumber() ? t.As<Napi::Number>().Int32Value() : 0;
      if (threads < 1 || threads > 1024)
        throw Napi::RangeError::New(env, "threads must be a number from 1 to 1024");
    }
    Napi::Value i = options.Get("isa");
    if (!i.IsUndefined()) isa = i.ToString().Utf8Value();
    device = options.Get("device");
    profiling_ = options.Get("profile").ToBoolean().Value();
  }
  const DeviceChoice choice = device_of(device);
  // A wish for an instruction set is one for the processor.
  const bool here = isa != "auto" || choice.id < 0;
  if (!here) device_ = Napi::Persistent(device.As<Napi::Object>());
  try {
    place_ = std::make_unique<Place>(threads, limit_cpu_features(isa), here ? DeviceChoice{} : choice);
  } catch (const Error& e) {
    throw Napi::RangeError::New(env, e.what());
  }
  settler_ = Settler::New(env, Napi::Function(), "ristretto.Stream", 0, 1);
  settler_.Unref(env);
  thread_ = std::thread([this] { loop(); });
}

StreamHandle::~StreamHandle() { stop(); }

void StreamHandle::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  settler_.Release();
}

// Frees the threads now; pending syncs are rejected. Without it the garbage collector does the same later.
void StreamHandle::close(const Napi::CallbackInfo&) { stop(); }

void StreamHandle::push(Task task) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw Napi::Error::New(Env(), "the stream is closed");
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void StreamHandle::enqueue(const char* op, std::string label, std::function<void(Place&)> run) {
  Operation operation{op, std::move(label), std::move(run)};
  if (capture_) {
    capture_->push_back(std::move(operation));
    return;
  }
  Task task;
  task.operation = std::move(operation);
  push(std::move(task));
}

void StreamHandle::refuse_during_capture(const char* what) {
  if (capture_)
    throw Napi::Error::New(Env(), std::string(what) + ": the stream is capturing: call endCapture first");
}

void StreamHandle::begin_capture(const Napi::CallbackInfo& info) {
  refuse_during_capture("beginCapture");
  if (stopping_) throw Napi::Error::New(info.Env(), "the stream is closed");
  capture_ = std::make_unique<Recording>();
}

Napi::Value StreamHandle::end_capture(const Napi::CallbackInfo& info) {
  if (!capture_)
    throw Napi::Error::New(info.Env(), "endCapture: the stream is not capturing: call beginCapture first");
  return GraphHandle::make(info.Env(), std::move(capture_));
}

void StreamHandle::launch(const Napi::CallbackInfo& info) {
  refuse_during_capture("launch");
  GraphHandle* graph = unwrap<GraphHandle>(info[0], state_of(info.Env()).graph_class);
  if (!graph)
    throw Napi::TypeError::New(info.Env(), "launch: the argument must be a graph that endCapture returned");
  Task task;
  task.graph = graph->recording();
  push(std::move(task));
}

void StreamHandle::loop() {
  place_->use_here();
  for (;;) {
    Task task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (stopping_) {
        for (Task& t : tasks_)
          if (t.deferred) settler_.NonBlockingCall(new Outcome{t.deferred, "the stream was closed"});
        tasks_.clear();
        idle_.notify_all();
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    if (task.deferred) {
      wait_for_device();
      std::string error;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        error.swap(error_);
      }
      settler_.NonBlockingCall(new Outcome{task.deferred, std::move(error)});
    } else if (task.blocks) {
      wait_for_device();
      std::lock_guard<std::mutex> lock(mutex_);
      ++blocking_reached_;
      idle_.notify_all();
    } else {
      if (task.graph)
        run_recorded(task.graph);
      else
        run(task.operation);
      // A launch returns before the device has read its operands.
      if (place_->has_device()) in_flight_.push_back(std::move(task));
    }
  }
}

void StreamHandle::run(const Operation& operation) {
  if (!error_.empty()) return;  // only this thread sets it
  const auto start = std::chrono::steady_clock::now();
  std::string failure;
  try {
    if (place_->has_device()) place_->begin_op(operation.label.empty() ? operation.op : operation.label);
    operation.run(*place_);
    if (profiling_) place_->wait();
  } catch (const DeferredError& e) {
    failure = e.what();
  } catch (const std::exception& e) {
    failure = (operation.label.empty() ? std::string(operation.op) : operation.label) + ": " + e.what();
  }
  if (failure.empty() && !profiling_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failure.empty()) error_ = std::move(failure);
  if (profiling_) {
    Timing& timing = timings_[{operation.label, operation.op}];
    timing.seconds += seconds;
    ++timing.calls;
  }
}

void StreamHandle::run_recorded(const std::shared_ptr<const Recording>& recording) {
  if (!error_.empty()) return;
  const auto run_all = [&] {
    for (const Operation& operation : *recording) {
      if (stopping_) break;
      run(operation);
    }
    return !stopping_ && error_.empty();
  };
  // A profile wants every operation's own time.
  if (profiling_) return void(run_all());
  try {
    place_->run_recorded(recording, run_all);
  } catch (const std::exception& e) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (error_.empty()) error_ = e.what();
  }
}

void StreamHandle::wait_for_device() {
  std::string failure;
  try {
    place_->wait();
  } catch (const std::exception& e) {
    failure = e.what();
  }
  in_flight_.clear();
  std::lock_guard<std::mutex> lock(mutex_);
  if (error_.empty()) error_ = std::move(failure);
}

void StreamHandle::settle(Napi::Env env, Napi::Function, void*, Outcome* outcome) {
  std::unique_ptr<Outcome> owned(outcome);
  std::unique_ptr<Napi::Promise::Deferred> deferred(outcome->deferred);
  if (env == nullptr) return;  // the environment is going down
  Napi::HandleScope scope(env);
  if (outcome->error.empty()) {
    deferred->Resolve(env.Undefined());
  } else {
    deferred->Reject(Napi::Error::New(env, outcome->error).Value());
  }
}

// Resolves when every operation enqueued so far is done; rejects with the first error since the last sync.
Napi::Value StreamHandle::sync(const Napi::CallbackInfo& info) {
  refuse_during_capture("sync");
  Napi::Env env = info.Env();
  auto* deferred = new Napi::Promise::Deferred(env);
  Napi::Promise promise = deferred->Promise();
  Task task;
  task.deferred = deferred;
  try {
    push(std::move(task));
  } catch (...) {
    delete deferred;
    throw;
  }
  // Node must stay alive while somebody waits, and only then.
  if (pending_syncs_++ == 0) settler_.Ref(env);
  Napi::ObjectReference* self = new Napi::ObjectReference(Napi::Persistent(info.This().As<Napi::Object>()));
  Napi::Function done = Napi::Function::New(env, [this, self](const Napi::CallbackInfo& inner) {
    if (--pending_syncs_ == 0) settler_.Unref(inner.Env());
    delete self;
  });
  promise.Get("then").As<Napi::Function>().Call(promise, {done, done});
  return promise;
}

// The same on the calling thread, for tests and short work.
void StreamHandle::sync_blocking(const Napi::CallbackInfo& info) {
  refuse_during_capture("syncBlocking");
  if (!stopping_) {
    Task task;
    task.blocks = true;
    push(std::move(task));
    ++blocking_asked_;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [&] { return stopping_ || blocking_reached_ == blocking_asked_; });
  if (!error_.empty()) {
    std::string error;
    error.swap(error_);
    throw Napi::Error::New(info.Env(), error);
  }
}

// [{label, op, seconds, calls}] since the stream began, where it was made with profile: true.
Napi::Value StreamHandle::profile(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array rows = Napi::Array::New(env);
  std::lock_guard<std::mutex> lock(mutex_);
  uint32_t index = 0;
  for (const auto& [key, timing] : timings_) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("label", key.first);
    row.Set("op", key.second);
    row.Set("seconds", timing.seconds);
    row.Set("calls", double(timing.calls));
    rows.Set(index++, row);
  }
  return rows;
}

Napi::Value StreamHandle::on_device(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), place_->has_device());
}

Napi::Value StreamHandle::device(const Napi::CallbackInfo& info) {
  return device_.IsEmpty() ? info.Env().Null() : Napi::Value(device_.Value());
}

Napi::Value StreamHandle::threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), place_->cpu().pool.threads());
}

}  // namespace ristretto::binding
