#include "stream.h"

#include <chrono>
#include <cmath>
#include <system_error>
#include <utility>

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
       InstanceMethod<&StreamHandle::close>("close"),
       InstanceAccessor<&StreamHandle::cancellation, &StreamHandle::set_cancellation>("cancellation"),
       InstanceAccessor<&StreamHandle::threads>("threads"),
       InstanceAccessor<&StreamHandle::on_device>("onDevice"),
       InstanceAccessor<&StreamHandle::closed>("closed"), InstanceAccessor<&StreamHandle::device>("device")});
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
      const double wanted = t.IsNumber() ? t.As<Napi::Number>().DoubleValue() : 0;
      if (!(wanted >= 1 && wanted <= 1024 && wanted == std::floor(wanted)))
        throw Napi::RangeError::New(env, "threads must be a whole number from 1 to 1024");
      threads = int(wanted);
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
  threads_ = place_->cpu().pool.threads();
  on_device_ = place_->has_device();
  try {
    thread_ = std::thread([this] { loop(); });
  } catch (const std::system_error& e) {
    throw Napi::RangeError::New(env, "cannot start a thread: " + e.code().message());
  }
  environment_ = state_of(env).environment;
  environment_->add(this);
}

StreamHandle::~StreamHandle() { stop(); }

void StreamHandle::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (running_) running_->store(true);
  }
  wake_.notify_all();
  thread_.join();
  environment_->remove(this);
  // The pool's threads, scratch memory and the shares of what was enqueued last.
  place_.reset();
  in_flight_.clear();
  capture_.reset();
  cancel_.reset();
  cancellation_.Reset();
}

// Frees the threads now; pending syncs are rejected. Without it the garbage collector does the same later.
void StreamHandle::close(const Napi::CallbackInfo&) { stop(); }

void StreamHandle::push(Task task) {
  task.cancel = cancel_;
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
      running_.reset();
      wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (stopping_) {
        for (Task& t : tasks_) {
          if (!t.promise) continue;
          t.promise->error = "the stream was closed";
          environment_->settle(t.promise);
        }
        tasks_.clear();
        idle_.notify_all();
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
      running_ = task.cancel;
    }
    if (task.promise) {
      wait_for_device();
      Failure failure = take_failure();
      if (failure.error.empty() && task.cancelled()) failure.error = Cancelled().what();
      task.promise->error = std::move(failure.error);
      task.promise->label = std::move(failure.label);
      environment_->settle(task.promise);
    } else if (task.blocks) {
      wait_for_device();
      std::lock_guard<std::mutex> lock(mutex_);
      ++blocking_reached_;
      idle_.notify_all();
    } else {
      run(task);
      // A launch returns before the device has read its operands.
      if (on_device_) in_flight_.push_back(std::move(task));
    }
  }
}

void StreamHandle::run(Task& task) {
  if (task.cancelled()) return;
  // A loop in the middle of an operation looks at one flag: a task that nobody can cancel looks at the
  // stream's end.
  place_->cpu().pool.cancel_by(task.cancel ? task.cancel.get() : &stopping_);
  if (task.graph)
    run_recorded(task.graph);
  else
    run(task.operation);
}

void StreamHandle::fail_once(Failure failure) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (failure_.error.empty()) failure_ = std::move(failure);
}

StreamHandle::Failure StreamHandle::take_failure() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(failure_, {});
}

void StreamHandle::run(const Operation& operation) {
  if (!failure_.error.empty()) return;
  const auto start = std::chrono::steady_clock::now();
  try {
    if (on_device_) place_->begin_op(operation.label.empty() ? operation.op : operation.label);
    operation.run(*place_);
    if (profiling_) place_->wait();
  } catch (const Cancelled&) {
    return;  // its sync says so
  } catch (const DeferredError& e) {
    fail_once({e.what(), ""});
  } catch (const std::exception& e) {
    fail_once(
        {(operation.label.empty() ? std::string(operation.op) + ": " : "") + e.what(), operation.label});
  }
  if (!profiling_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::lock_guard<std::mutex> lock(mutex_);
  Timing& timing = timings_[{operation.label, operation.op}];
  timing.seconds += seconds;
  ++timing.calls;
}

void StreamHandle::run_recorded(const std::shared_ptr<const Recording>& recording) {
  if (!failure_.error.empty()) return;
  const auto given_up = [&] { return stopping_ || (running_ && running_->load()); };
  const auto run_all = [&] {
    for (const Operation& operation : *recording) {
      if (given_up()) break;
      run(operation);
    }
    return !given_up() && failure_.error.empty();
  };
  // A profile wants every operation's own time.
  if (profiling_) return void(run_all());
  try {
    place_->run_recorded(recording, run_all);
  } catch (const std::exception& e) {
    fail_once({e.what(), ""});
  }
}

void StreamHandle::wait_for_device() {
  try {
    place_->wait();
  } catch (const std::exception& e) {
    fail_once({e.what(), ""});
  }
  in_flight_.clear();
}

// Resolves when every operation enqueued so far is done; rejects with the first error since the last sync.
Napi::Value StreamHandle::sync(const Napi::CallbackInfo& info) {
  refuse_during_capture("sync");
  if (stopping_) throw Napi::Error::New(info.Env(), "the stream is closed");
  Task task;
  task.promise = environment_->promise(info.Env(), info.This().As<Napi::Object>());
  Napi::Promise promise = task.promise->deferred.Promise();
  push(std::move(task));
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
  {
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [&] { return stopping_ || blocking_reached_ == blocking_asked_; });
  }
  Failure failure = take_failure();
  if (failure.error.empty() && cancel_ && cancel_->load()) failure.error = Cancelled().what();
  if (!failure.error.empty()) throw layer_error(info.Env(), failure.error, failure.label);
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

Napi::Value StreamHandle::cancellation(const Napi::CallbackInfo& info) {
  return cancellation_.IsEmpty() ? info.Env().Null() : Napi::Value(cancellation_.Value());
}

void StreamHandle::set_cancellation(const Napi::CallbackInfo& info, const Napi::Value& value) {
  cancellation_.Reset();
  cancel_.reset();
  if (value.IsNull() || value.IsUndefined()) return;
  CancellationHandle* handle = unwrap<CancellationHandle>(value, state_of(info.Env()).cancellation_class);
  if (!handle) throw Napi::TypeError::New(info.Env(), "cancellation must be a Cancellation or null");
  cancellation_ = Napi::Persistent(value.As<Napi::Object>());
  cancel_ = handle->flag();
}

Napi::Value StreamHandle::on_device(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), on_device_);
}

Napi::Value StreamHandle::closed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), stopping_);
}

Napi::Value StreamHandle::device(const Napi::CallbackInfo& info) {
  return device_.IsEmpty() ? info.Env().Null() : Napi::Value(device_.Value());
}

Napi::Value StreamHandle::threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), threads_);
}

}  // namespace ristretto::binding
