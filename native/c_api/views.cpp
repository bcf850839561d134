#include "views.h"

#include "core/op/trim/trim.h"

namespace ristretto::c_api {

namespace {

constexpr int64_t kMostElements = int64_t{1} << 62;
constexpr int64_t kMostDimension = int64_t{1} << 40;

void check_dimensions(std::initializer_list<int64_t> dimensions, const char* name) {
  for (const int64_t d : dimensions)
    require(d >= 0 && d <= kMostDimension, name, ": ", d, " is no size of a tensor");
}

}  // namespace

int64_t product(int64_t a, int64_t b, const char* name) {
  int64_t result = 0;
  require(!__builtin_mul_overflow(a, b, &result) && result <= kMostElements, name, ": too many elements");
  return result;
}

Context& context_of(ristretto_context* context) {
  require(context != nullptr, "context: is NULL");
  return context->core;
}

DataType code_type_of(ristretto_code_type type, const char* name) {
  switch (type) {
    case RISTRETTO_I8:
      return DataType::i8;
    case RISTRETTO_U8:
      return DataType::u8;
    case RISTRETTO_I16:
      return DataType::i16;
  }
  fail(name, ": ", type, " is no type of codes");
}

CodeTensor codes_of(const ristretto_codes* c, const char* name) {
  require(c != nullptr, name, ": is NULL");
  require(c->data != nullptr, name, ": data is NULL");
  check_dimensions({c->images, c->height, c->width, c->channels, c->halo_h, c->halo_w}, name);
  for (const int64_t stride : {c->image_stride, c->row_stride, c->pixel_stride})
    require(stride >= 0 && stride <= kMostElements, name, ": a stride of ", stride);
  require(c->slack >= 0, name, ": a slack of ", c->slack);
  CodeTensor t;
  t.data = c->data;
  t.type = code_type_of(c->type, name);
  t.images = c->images, t.height = c->height, t.width = c->width, t.channels = c->channels;
  t.halo_h = c->halo_h, t.halo_w = c->halo_w;
  t.slack = c->slack;
  t.pixel_stride = c->pixel_stride ? c->pixel_stride : t.channels;
  t.row_stride = c->row_stride ? c->row_stride : product(t.width + 2 * t.halo_w, t.pixel_stride, name);
  t.image_stride = c->image_stride ? c->image_stride : product(t.height + 2 * t.halo_h, t.row_stride, name);
  product(t.images, t.image_stride, name);
  const int most = t.type == DataType::i16 ? 32767 : 127;
  const bool any = c->low == 0 && c->high == 0;
  t.low = any ? -most - 1 : c->low;
  t.high = any ? most : c->high;
  require(t.pixel_stride >= 1, name, ": has no channels");
  check_code_tensor(t, name, "the tensor");
  return t;
}

Tensor floats_of(const ristretto_floats* f, const char* name) {
  require(f != nullptr, name, ": is NULL");
  require(f->data != nullptr, name, ": data is NULL");
  check_dimensions({f->images, f->channels, f->height, f->width}, name);
  const int64_t image = product(product(f->channels, f->height, name), f->width, name);
  require(f->image_stride == 0 || f->image_stride >= image, name, ": an image stride of ", f->image_stride,
          " for images of ", image);
  product(f->images, f->image_stride ? f->image_stride : image, name);
  Tensor t = Tensor::of(f->data, {f->images, f->channels, f->height, f->width});
  if (f->image_stride) t.image_stride = f->image_stride;
  return t;
}

Tensor span_of(const float* data, int64_t count, const char* name) {
  require(count >= 0 && count <= kMostElements, name, ": ", count, " elements");
  require(data != nullptr || count == 0, name, ": is NULL");
  return Tensor::of(const_cast<float*>(data), {count});
}

Rounding rounding_of(ristretto_rounding rounding) {
  switch (rounding) {
    case RISTRETTO_HALF_AWAY_FROM_ZERO:
      return Rounding::half_away_from_zero;
    case RISTRETTO_HALF_TO_EVEN:
      return Rounding::half_to_even;
    case RISTRETTO_HALF_UP:
      return Rounding::half_up;
    case RISTRETTO_FLOOR:
      return Rounding::floor;
    case RISTRETTO_STOCHASTIC:
      return Rounding::stochastic;
  }
  fail("rounding: ", rounding, " is no rounding rule");
}

CodeFormat code_format_of(const ristretto_code_format& format, const char* name) {
  require(format.bit_width >= 1 && format.bit_width <= 16, name, ": codes have 1 to 16 bits, not ",
          format.bit_width);
  require(format.fractional_length >= -126 && format.fractional_length <= 126, name, ": fractional length ",
          format.fractional_length, " is not in -126..126");
  return {format.bit_width, format.fractional_length};
}

TrimFormat format_of(const ristretto_format* format) {
  require(format != nullptr, "format: is NULL");
  TrimFormat f;
  switch (format->kind) {
    case RISTRETTO_DYNAMIC_FIXED_POINT:
      f.kind = FormatKind::dynamic_fixed_point;
      break;
    case RISTRETTO_MINIFLOAT:
      f.kind = FormatKind::minifloat;
      break;
    case RISTRETTO_INTEGER_POWER_OF_TWO:
      f.kind = FormatKind::integer_power_of_two;
      break;
    default:
      fail("format: ", format->kind, " is no kind of format");
  }
  f.rounding = rounding_of(format->rounding);
  f.bit_width = format->bit_width;
  f.fractional_length = format->fractional_length;
  f.mantissa_bits = format->mantissa_bits;
  f.exponent_bits = format->exponent_bits;
  f.exponent_min = format->exponent_min;
  f.exponent_max = format->exponent_max;
  check_trim_format(f);
  return f;
}

}  // namespace ristretto::c_api
