// The convolutions of bench/shapes: one a line, `name C H W K R S stride pad group`, # starts a comment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ristretto::bench {

struct Shape {
  std::string name;
  int64_t channels = 1, height = 1, width = 1, kernels = 1, kernel_h = 1, kernel_w = 1;
  int64_t stride = 1, pad = 0, group = 1;

  int64_t out_height() const { return (height + 2 * pad - kernel_h) / stride + 1; }
  int64_t out_width() const { return (width + 2 * pad - kernel_w) / stride + 1; }
  // Multiply-accumulates of one image.
  double multiplications() const {
    return double(out_height() * out_width() * kernels) * double(channels / group * kernel_h * kernel_w);
  }
  // All but the name.
  std::string problem() const;
};

struct ShapeFile {
  std::string net;  // the file's name
  std::vector<Shape> shapes;
};

// Of a file, or of every .txt file of a folder, by name. Throws Error with file and line.
std::vector<ShapeFile> read_shapes(const std::string& path);

// Of the same kind, as small as a test wants it.
Shape shrunk(const Shape& shape);

}  // namespace ristretto::bench
