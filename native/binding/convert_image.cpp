#include "convert_image.h"

#include <cstdlib>
#include <memory>

#include "background.h"
#include "core/error.h"
#include "core/op/images/gray_image.h"
#include "core/op/images/resize_image.h"

namespace ristretto::binding {

namespace {

constexpr int64_t kMaxPixels = int64_t{1} << 28;
constexpr int64_t kMaxTarget = 65535;  // a side of an image to be made; one that is given is as it is

// A dimension, at least 1; 0 where it is not given and `absent` allows that.
int64_t dimension(const Napi::Object& object, const char* name, int64_t most, bool absent = false) {
  Napi::Value value = object.Get(name);
  if (absent && (value.IsUndefined() || value.IsNull())) return 0;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  if (!(number >= 1 && number <= double(most) && number == double(int64_t(number))))
    throw Napi::RangeError::New(
        object.Env(), std::string(name) + " must be a whole number from 1 to " + std::to_string(most));
  return int64_t(number);
}

struct FreeBytes {
  void operator()(uint8_t* memory) const { free(memory); }
};
using Bytes = std::unique_ptr<uint8_t, FreeBytes>;

Bytes take(int64_t count) {
  Bytes bytes(static_cast<uint8_t*>(malloc(size_t(count))));
  require(bytes != nullptr, "no memory for an image of ", count, " bytes");
  return bytes;
}

Tensor image_view(const uint8_t* data, int64_t height, int64_t width, int64_t channels) {
  Tensor view = Tensor::of(nullptr, {height, width, channels});
  view.data = const_cast<uint8_t*>(data);
  view.type = DataType::u8;
  return view;
}

// The weights of target.gray: true for those of OpenCV's readers, or an object of whole numbers.
GrayWeights gray_weights(const Napi::Value& value) {
  if (!value.IsObject()) return {};
  Napi::Object object = value.As<Napi::Object>();
  const auto field = [&](const char* name, int32_t most) {
    Napi::Value given = object.Get(name);
    const double number = given.IsNumber() ? given.As<Napi::Number>().DoubleValue() : -1;
    if (!(number >= 0 && number <= most && number == double(int32_t(number))))
      throw Napi::RangeError::New(
          object.Env(),
          std::string("gray.") + name + " must be a whole number from 0 to " + std::to_string(most));
    return int32_t(number);
  };
  GrayWeights weights;
  weights.shift = field("shift", 16);
  const int32_t one = 1 << weights.shift;
  weights.red = field("red", one);
  weights.green = field("green", one);
  weights.blue = field("blue", one);
  weights.half = field("half", one / 2);
  // 255 times the sum stays below 2^25, and the result within a byte.
  if (weights.red + weights.green + weights.blue > one)
    throw Napi::RangeError::New(object.Env(), "the weights of gray must not sum to more than 2^shift");
  return weights;
}

struct Conversion {
  const uint8_t* src = nullptr;
  int64_t src_height = 0, src_width = 0, channels = 0;
  bool gray = false;
  GrayWeights weights;
  int64_t height = 0, width = 0;  // 0: as it is
  Bytes dst;

  void run() {
    if (gray && channels >= 3) {
      dst = take(src_height * src_width);
      gray_from_rgb(src, src_height * src_width, channels, dst.get(), weights);
      src = dst.get();
      channels = 1;
    }
    if (height) {
      Bytes resized = take(height * width * channels);
      ResizeImageArguments arguments;
      arguments.src = image_view(src, src_height, src_width, channels);
      arguments.dst = image_view(resized.get(), height, width, channels);
      ResizeImage::check(arguments);
      Context context(1, CpuFeatures{});
      ResizeImage::run(context, arguments);
      dst = std::move(resized);
    } else {
      height = src_height;
      width = src_width;
    }
  }
};

Napi::Value convert_image(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject() || !info[1].IsObject())
    throw Napi::TypeError::New(env, "convertImage takes an image and what to make of it");
  Napi::Object image = info[0].As<Napi::Object>(), target = info[1].As<Napi::Object>();
  auto conversion = std::make_shared<Conversion>();
  conversion->src_height = dimension(image, "height", kMaxPixels);
  conversion->src_width = dimension(image, "width", kMaxPixels);
  conversion->channels = dimension(image, "channels", 4);
  conversion->gray = target.Get("gray").ToBoolean().Value();
  conversion->weights = gray_weights(target.Get("gray"));
  conversion->height = dimension(target, "height", kMaxTarget, true);
  conversion->width = dimension(target, "width", kMaxTarget, true);
  if ((conversion->height == 0) != (conversion->width == 0))
    throw Napi::RangeError::New(env, "height and width are given together");
  if (conversion->height * conversion->width > kMaxPixels)
    throw Napi::RangeError::New(env, "an image has at most 2^28 pixels");
  Napi::Value data = image.Get("data");
  if (!data.IsTypedArray() || data.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
      int64_t(data.As<Napi::Uint8Array>().ByteLength()) !=
          conversion->src_height * conversion->src_width * conversion->channels)
    throw Napi::TypeError::New(env, "data must be a Uint8Array of height * width * channels bytes");
  conversion->src = data.As<Napi::Uint8Array>().Data();
  const bool changes = conversion->height || (conversion->gray && conversion->channels >= 3);
  if (!changes) {
    Napi::Promise::Deferred done = Napi::Promise::Deferred::New(env);
    done.Resolve(image);
    return done.Promise();
  }
  return Background::start(
      env, data, [conversion] { conversion->run(); },
      [conversion](Napi::Env result_env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(result_env);
        const int64_t count = conversion->height * conversion->width * conversion->channels;
        result.Set("data", Napi::Buffer<uint8_t>::New(result_env, conversion->dst.release(), size_t(count),
                                                      [](Napi::Env, uint8_t* memory) { free(memory); }));
        result.Set("height", double(conversion->height));
        result.Set("width", double(conversion->width));
        result.Set("channels", double(conversion->channels));
        return result;
      });
}

}  // namespace

void define_convert_image(Napi::Env env, Napi::Object exports) {
  exports.Set("convertImage", Napi::Function::New(env, convert_image, "convertImage"));
}

}  // namespace ristretto::binding
