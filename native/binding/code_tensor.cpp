#include "code_tensor.h"

#include "op_binding.h"

namespace ristretto::binding {

namespace {

constexpr int64_t kMost = int64_t{1} << 40;

DataType code_type(Napi::Value value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "i8") return DataType::i8;
  if (name == "u8") return DataType::u8;
  if (name == "i16") return DataType::i16;
  throw Napi::TypeError::New(value.Env(), "a CodeTensor's type must be 'i8', 'u8' or 'i16'");
}

int64_t named_integer(Napi::Value value, const char* name, int64_t least, int64_t most) {
  try {
    return integer_from(value, least, most);
  } catch (const Napi::Error& e) {
    throw Napi::TypeError::New(value.Env(), std::string("a CodeTensor's ") + name + " " + e.Message());
  }
}

// Fills the members from an array of as many whole numbers; false where the property is unset.
template <class... Integer>
bool read_integers(Napi::Object layout, const char* name, int64_t least, Integer&... members) {
  Napi::Value value = layout.Get(name);
  if (value.IsUndefined() || value.IsNull()) return false;
  if (!value.IsArray() || value.As<Napi::Array>().Length() != sizeof...(members))
    throw Napi::TypeError::New(layout.Env(), std::string("a CodeTensor's ") + name + " must have " +
                                                 std::to_string(sizeof...(members)) + " whole numbers");
  uint32_t at = 0;
  ((members = Integer(named_integer(value.As<Napi::Array>().Get(at++), name, least,
                                    sizeof(Integer) == 4 ? INT32_MAX : kMost))),
   ...);
  return true;
}

// First and last element, halo included, counted from code (0, 0, 0, 0). Doubles cannot overflow, and are
// exact up to any size that memory has.
struct Extent {
  double first, end;
};
Extent extent_of(const CodeTensor& t) {
  if (t.images == 0) return {0, 0};
  const double row = double(t.row_stride), pixel = double(t.pixel_stride);
  return {-double(t.halo_h) * row - double(t.halo_w) * pixel,
          double(t.images - 1) * double(t.image_stride) + double(t.height - 1 + t.halo_h) * row +
              double(t.width - 1 + t.halo_w) * pixel + double(t.channels)};
}

}  // namespace

void CodeTensorHandle::define(Napi::Env env, Napi::Object exports) {
  Napi::Function constructor = DefineClass(env, "CodeTensor", {});
  state_of(env).code_tensor_class = Napi::Persistent(constructor);
  exports.Set("CodeTensor", constructor);
}

CodeTensorHandle::CodeTensorHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<CodeTensorHandle>(info) {
  Napi::Env env = info.Env();
  BufferHandle* buffer = unwrap<BufferHandle>(info[0], state_of(env).buffer_class);
  if (!buffer) throw Napi::TypeError::New(env, "a CodeTensor needs a Buffer");
  const int64_t offset = named_integer(info[1], "byteOffset", 0, int64_t{1} << 53);
  if (!info[2].IsObject()) throw Napi::TypeError::New(env, "a CodeTensor's layout must be an object");
  Napi::Object layout = info[2].As<Napi::Object>();
  CodeTensor& t = view_;
  t.type = code_type(layout.Get("type"));
  if (!read_integers(layout, "shape", 0, t.images, t.height, t.width, t.channels))
    throw Napi::TypeError::New(env, "a CodeTensor needs a shape");
  read_integers(layout, "halo", 0, t.halo_h, t.halo_w);
  if (!read_integers(layout, "strides", 0, t.image_stride, t.row_stride, t.pixel_stride)) {
    t.pixel_stride = t.channels;
    // In double first: what does not fit 63 bits fits no buffer.
    const double row = double(t.width + 2 * t.halo_w) * double(t.channels);
    if (row * double(t.height + 2 * t.halo_h) > 9e15)
      throw Napi::RangeError::New(env, "a CodeTensor of shape " + t.shape_text() + " is too large");
    t.row_stride = (t.width + 2 * t.halo_w) * t.pixel_stride;
    t.image_stride = (t.height + 2 * t.halo_h) * t.row_stride;
  }
  const bool words = t.type == DataType::i16;
  t.low = words ? -32768 : -128;
  t.high = words ? 32767 : 127;
  read_integers(layout, "range", INT32_MIN, t.low, t.high);

  static char nothing;
  block_ = buffer->block();
  const AlignedBuffer& whole = *memory_of(env, *block_);
  char* base = whole.data() ? static_cast<char*>(whole.data()) : &nothing;
  t.data = base;
  try {
    check_code_tensor(t, "CodeTensor", "layout");
  } catch (const Error& e) {
    throw Napi::RangeError::New(env, e.what());
  }
  const Extent extent = extent_of(t);
  const double bytes = double(t.element_bytes()), memory = double(whole.size());
  const double begin = double(offset) + extent.first * bytes, end = double(offset) + extent.end * bytes;
  if (begin < 0 || end > memory || offset % t.element_bytes() != 0)
    throw Napi::RangeError::New(env, "a CodeTensor of shape " + t.shape_text() + " with a halo of " +
                                         std::to_string(t.halo_h) + " rows and " + std::to_string(t.halo_w) +
                                         " columns does not fit its Buffer at byte " +
                                         std::to_string(offset));
  t.data = base + offset;
  t.slack = int64_t(memory - end);
}

}  // namespace ristretto::binding
