#include "bench.h"

#include "background.h"
#include "bench/convolution_fixed_bench.h"
#include "bench/span_bench.h"
#include "op_binding.h"

namespace ristretto::binding {

namespace {

using bench::ConvolutionProblem;
using bench::ConvolutionTiming;
using bench::SpanProblem;
using bench::SpanTiming;

// How to measure.
struct Options {
  int threads = 1;
  std::string isa = "auto";
  std::string kernel;  // "": all
  double seconds = 0;
};

Napi::Object object_from(const Napi::CallbackInfo& info, size_t index, const char* what) {
  if (!info[index].IsObject())
    throw Napi::TypeError::New(info.Env(), std::string(what) + " must be an object");
  return info[index].As<Napi::Object>();
}

// integer_from's errors say what a value must be; here they also say which.
int64_t integer_of(const Napi::Object& object, const char* name, int64_t least, int64_t most) {
  try {
    return integer_from(object.Get(name), least, most);
  } catch (const Napi::Error& e) {
    throw Napi::TypeError::New(object.Env(), std::string(name) + " " + e.Message());
  }
}

std::string text_of(const Napi::Object& object, const char* name, const char* absent) {
  Napi::Value value = object.Get(name);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : absent;
}

Options options_from(const Napi::CallbackInfo& info) {
  Napi::Object object = object_from(info, 1, "options");
  Options o;
  o.threads = int(integer_of(object, "threads", 1, 1024));
  o.isa = text_of(object, "isa", "auto");
  o.kernel = text_of(object, "kernel", "");
  o.seconds = number_from(object.Get("seconds"));
  return o;
}

ConvolutionProblem convolution_from(const Napi::Object& object) {
  constexpr int64_t kMost = int64_t{1} << 20;
  const auto size = [&](const char* name) { return integer_of(object, name, 1, kMost); };
  ConvolutionProblem p;
  p.channels = size("channels");
  p.height = size("height");
  p.width = size("width");
  p.kernels = size("kernels");
  p.kernel_h = size("kernelH");
  p.kernel_w = size("kernelW");
  p.stride = size("stride");
  p.pad = integer_of(object, "pad", 0, kMost);
  p.group = size("group");
  p.images = size("images");
  p.bits = int(integer_of(object, "bits", 8, 16));
  return p;
}

Napi::Value timing_value(Napi::Env env, const ConvolutionTiming& t) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("kernel", t.kernel);
  object.Set("definition", t.definition);
  object.Set("seconds", t.seconds);
  object.Set("operations", t.operations);
  object.Set("instruction", t.instruction.empty() ? env.Null() : Napi::String::New(env, t.instruction));
  object.Set("peak", t.instruction.empty() ? env.Null() : Napi::Number::New(env, t.peak));
  return object;
}

Napi::Value bench_convolution(const Napi::CallbackInfo& info) {
  const ConvolutionProblem problem = convolution_from(object_from(info, 0, "problem"));
  const Options options = options_from(info);
  auto timings = std::make_shared<std::vector<ConvolutionTiming>>();
  return Background::start(
      info.Env(), info.Env().Undefined(),
      [=] {
        Context context(options.threads, limit_cpu_features(options.isa));
        *timings = bench::bench_convolution_fixed(context, problem, options.kernel, options.seconds);
      },
      [timings](Napi::Env env) -> Napi::Value {
        Napi::Array list = Napi::Array::New(env);
        for (const ConvolutionTiming& t : *timings) list.Set(list.Length(), timing_value(env, t));
        return list;
      });
}

Napi::Value bench_span(const Napi::CallbackInfo& info) {
  Napi::Object object = object_from(info, 0, "problem");
  SpanProblem problem;
  problem.range = object.Get("range").ToBoolean().Value();
  Napi::Value format = object.Get("format");
  if (!format.IsUndefined() && !format.IsNull()) problem.format = trim_format_from(format);
  problem.count = integer_of(object, "count", 1, int64_t{1} << 31);
  const Options options = options_from(info);
  auto timing = std::make_shared<SpanTiming>();
  return Background::start(
      info.Env(), info.Env().Undefined(),
      [=] {
        Context context(options.threads, limit_cpu_features(options.isa));
        *timing = bench::bench_span(context, problem, options.seconds);
      },
      [timing](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("seconds", timing->seconds);
        result.Set("bytes", timing->bytes);
        result.Set("peak", timing->peak);
        return result;
      });
}

}  // namespace

void define_bench(Napi::Env env, Napi::Object exports) {
  exports.Set("benchConvolutionFixed", Napi::Function::New(env, bench_convolution, "benchConvolutionFixed"));
  exports.Set("benchSpan", Napi::Function::New(env, bench_span, "benchSpan"));
}

}  // namespace ristretto::binding
