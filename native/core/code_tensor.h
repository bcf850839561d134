// A non-owning view of activation codes, channels last: what the integer engine's kernels take. The owner
// keeps the memory alive.
#pragma once

#include <cstdint>
#include <string>

#include "host_device.h"
#include "tensor_view.h"

namespace ristretto {

// Code (n, h, w, c) stands at data + n * image_stride + h * row_stride + w * pixel_stride + c, strides
// counting elements. A slice of a Concat's channels has a pixel_stride above its channels.
//
// Storage: i8 and i16 hold the code itself; u8 holds the code plus 128 (offset binary), which is how codes
// below 0 reach a dot product that wants its first operand unsigned.
//
// Halo: halo_h rows above and below and halo_w columns left and right of every image belong to the view, at
// negative and at too large h and w, and hold the code 0: a consumer pads by reading them. Every op that
// writes a view writes its halo too, for the view's own channels.
struct CodeTensor {
  void* data = nullptr;
  DataType type = DataType::i8;  // i8, u8 or i16
  int64_t images = 0, height = 0, width = 0, channels = 0;
  int64_t image_stride = 0, row_stride = 0, pixel_stride = 0;
  int64_t halo_h = 0, halo_w = 0;
  // Codes that can occur. Kernels rely on it: to leave out what negative codes would need, and to prove that
  // a sum fits its word.
  int low = -128, high = 127;
  // Bytes behind the last element of the last image (halo included) that may be read, whatever they hold.
  int64_t slack = 0;

  explicit operator bool() const { return data != nullptr; }
  RISTRETTO_HOST_DEVICE int64_t element_bytes() const { return size_of(type); }
  // What storage holds for code 0.
  RISTRETTO_HOST_DEVICE int zero() const { return type == DataType::u8 ? 128 : 0; }
  RISTRETTO_HOST_DEVICE int64_t offset(int64_t n, int64_t h, int64_t w) const {
    return n * image_stride + h * row_stride + w * pixel_stride;
  }
  RISTRETTO_HOST_DEVICE char* pixel(int64_t n, int64_t h, int64_t w) const {
    return static_cast<char*>(data) + offset(n, h, w) * element_bytes();
  }
  RISTRETTO_HOST_DEVICE int code(int64_t n, int64_t h, int64_t w, int64_t c) const {
    const char* at = pixel(n, h, w);
    switch (type) {
      case DataType::i16:
        return reinterpret_cast<const int16_t*>(at)[c];
      case DataType::u8:
        return reinterpret_cast<const uint8_t*>(at)[c] - 128;
      default:
        return reinterpret_cast<const int8_t*>(at)[c];
    }
  }
  // `code` must be one that the type can hold.
  RISTRETTO_HOST_DEVICE void set_code(int64_t n, int64_t h, int64_t w, int64_t c, int code) const {
    char* at = pixel(n, h, w);
    switch (type) {
      case DataType::i16:
        reinterpret_cast<int16_t*>(at)[c] = int16_t(code);
        break;
      case DataType::u8:
        reinterpret_cast<uint8_t*>(at)[c] = uint8_t(code + 128);
        break;
      default:
        reinterpret_cast<int8_t*>(at)[c] = int8_t(code);
    }
  }
  std::string shape_text() const;
};

// Throws Error, naming the tensor `name` of op `op`, unless the view makes sense: a type for codes, sizes of
// at least 1 (images: 0), strides that keep rows, columns and images apart, a range within the type.
void check_code_tensor(const CodeTensor& tensor, const char* op, const char* name);

// Writes code 0 to the halo of image n, for the view's own channels: of rows [begin, end) their left and
// right columns, and the rows above where begin is 0 and below where end is the height.
void fill_halo(const CodeTensor& tensor, int64_t n, int64_t begin, int64_t end);

}  // namespace ristretto
