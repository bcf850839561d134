// A non-owning view of a dense tensor: what every kernel takes. The owner keeps the memory alive.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "error.h"
#include "host_device.h"

namespace ristretto {

enum class DataType : uint8_t { f32, i32, i16, i8, u8 };

RISTRETTO_HOST_DEVICE int64_t size_of(DataType type) {
  switch (type) {
    case DataType::f32:
    case DataType::i32:
      return 4;
    case DataType::i16:
      return 2;
    default:
      return 1;
  }
}

// Row-major. Elements of one image (all axes but the first) are contiguous; image n starts at
// n * image_stride elements, which exceeds the image's own size where the tensor is a channel slice of a
// larger one (a Concat's input written in place).
struct Tensor {
  static constexpr int kMaxRank = 8;

  void* data = nullptr;
  DataType type = DataType::f32;
  int rank = 0;
  int64_t dim[kMaxRank] = {};
  int64_t image_stride = 0;

  explicit operator bool() const { return data != nullptr; }
  float* f32() const { return static_cast<float*>(data); }

  // Product of the dimensions from axis `from` up to, not including, axis `to` (-1: all).
  int64_t count(int from = 0, int to = -1) const {
    int64_t product = 1;
    for (int axis = from; axis < (to < 0 ? rank : to); ++axis) product *= dim[axis];
    return product;
  }
  int64_t images() const { return rank ? dim[0] : 1; }
  int64_t image_count() const { return rank ? count(1) : 1; }
  float* image(int64_t n) const { return f32() + n * image_stride; }
  bool contiguous() const { return images() <= 1 || image_stride == image_count(); }
  // Dimension `axis` counted as Caffe's legacy accessors do: 1 where the tensor has no such axis.
  int64_t legacy_dim(int axis) const { return axis < rank ? dim[axis] : 1; }

  bool same_shape(const Tensor& other) const {
    if (rank != other.rank) return false;
    for (int axis = 0; axis < rank; ++axis)
      if (dim[axis] != other.dim[axis]) return false;
    return true;
  }
  std::string shape_text() const {
    std::string text = "(";
    for (int axis = 0; axis < rank; ++axis) text += (axis ? ", " : "") + std::to_string(dim[axis]);
    return text + ")";
  }

  static Tensor of(float* data, std::initializer_list<int64_t> dims) {
    Tensor t;
    t.data = data;
    for (int64_t d : dims) t.dim[t.rank++] = d;
    t.image_stride = t.image_count();
    return t;
  }
};

}  // namespace ristretto
