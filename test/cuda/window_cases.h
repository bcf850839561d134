// Random convolutions, small enough for the executor and large enough for every size of tile.
#pragma once

#include <sstream>
#include <string>

#include "../native/float_cases.h"

namespace cases {

using Shape = WindowShape;

Shape random_shape(Random& random) {
  if (random.integer(0, 3) == 0) return Shape::small(random);
  Shape s{};
  s.n = random.integer(1, 3);
  s.group = random.integer(0, 3) ? 1 : random.integer(2, 3);
  s.c = s.group * random.integer(1, random.integer(0, 3) ? 6 : 40);
  s.k = s.group * random.integer(1, random.integer(0, 2) ? 40 : 140);
  s.take_window(random, 4, 5);
  s.h = random.integer(1, 13);
  s.w = random.integer(0, 2) ? random.integer(1, 13) : random.integer(20, 40);
  s.hold_window();
  return s;
}

template <class Arguments>
void take_windows(Arguments& a, const Shape& s) {
  a.stride_h = s.stride_h, a.stride_w = s.stride_w, a.pad_h = s.pad_h, a.pad_w = s.pad_w;
  a.dilation_h = s.dilation_h, a.dilation_w = s.dilation_w, a.group = s.group;
}

template <class Arguments>
std::string text_of(const Arguments& a, const char* dst_name, const ristretto::Tensor& dst) {
  std::ostringstream out;
  out << "src " << a.src.shape_text() << " weights " << a.weights.shape_text() << " " << dst_name << " "
      << dst.shape_text() << " stride " << a.stride_h << "," << a.stride_w << " pad " << a.pad_h << ","
      << a.pad_w << " dilation " << a.dilation_h << "," << a.dilation_w << " group " << a.group;
  return out.str();
}

}  // namespace cases
