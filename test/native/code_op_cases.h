// Random codes, reals and windows for the ops on codes other than convolutions.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "code_cases.h"
#include "core/op/pooling/pooling_codes.h"
#include "core/rounding.h"

namespace cases {

constexpr ristretto::Rounding kRules[] = {ristretto::Rounding::half_away_from_zero,
                                          ristretto::Rounding::half_to_even, ristretto::Rounding::half_up,
                                          ristretto::Rounding::floor};

inline ristretto::DataType any_type(Random& random) {
  const ristretto::DataType types[] = {ristretto::DataType::i8, ristretto::DataType::u8,
                                       ristretto::DataType::i16};
  return types[random.integer(0, 2)];
}
inline int bits_of_type(ristretto::DataType type) { return type == ristretto::DataType::i16 ? 16 : 8; }

// Sizes on both sides of every vector's.
inline Codes::Shape any_shape(Random& random) {
  Codes::Shape s{};
  s.images = random.integer(0, 9) ? random.integer(1, 3) : 0;
  s.height = random.integer(1, random.integer(0, 1) ? 4 : 12);
  s.width = random.integer(1, random.integer(0, 1) ? 8 : 40);
  s.channels = random.integer(0, 2) ? random.integer(1, 40) : random.integer(41, 300);
  if (random.integer(0, 3) == 0) {
    const PlaneSize plane = small_plane(random);
    s.height = plane.h, s.width = plane.w;
    s.channels = few_channels(random);
  }
  if (random.integer(0, 2)) s.halo_h = random.integer(0, 2), s.halo_w = random.integer(0, 2);
  if (random.integer(0, 2) == 0) s.before = random.integer(0, 20), s.after = random.integer(0, 20);
  return s;
}

inline std::unique_ptr<Codes> codes_of(ristretto::DataType type, const Codes::Shape& s, int bits,
                                       Random& random) {
  auto codes = std::make_unique<Codes>(type, s, bits == 1 ? -1 : -(1 << (bits - 1)), (1 << (bits - 1)) - 1);
  codes->fill(random);
  return codes;
}

// Reals (N, C, H, W), now and then a slice of more channels. `memory` shows what is written outside.
struct Reals {
  Reals(int64_t n, int64_t c, int64_t h, int64_t w, Random& random) {
    tensor = ristretto::Tensor::of(nullptr, {n, c, h, w});
    tensor.image_stride += random.integer(0, 1) ? 0 : random.integer(1, 50);
    memory.assign(size_t(n ? (n - 1) * tensor.image_stride + tensor.image_count() : 0), -12345.0f);
    tensor.data = memory.empty() ? &nothing : memory.data();
  }
  ristretto::Tensor in(guarded::vector<float>& other) const {
    ristretto::Tensor t = tensor;
    if (!other.empty()) t.data = other.data();
    return t;
  }
  float nothing = 0;
  ristretto::Tensor tensor;
  guarded::vector<float> memory;
};

inline std::string text_of(const ristretto::CodeTensor& t) {
  return check::text(t.shape_text(), " type ", int(t.type), " halo ", t.halo_h, ",", t.halo_w, " pixel ",
                     t.pixel_stride);
}

// A real whose code is within the range, at a tie, at a limit, or anything.
inline float any_real(Random& random, int bits, int fl) {
  const double code = double(random.integer(-(1 << (bits - 1)) - 2, (1 << (bits - 1)) + 2));
  float x = float(std::ldexp(code, -fl));
  switch (random.integer(0, 7)) {
    case 0:
      x = float(std::ldexp(code + 0.5, -fl));
      break;
    case 1:
      x = std::nextafterf(float(std::ldexp(code + 0.5, -fl)), random.integer(0, 1) ? 1e30f : -1e30f);
      break;
    case 2: {
      uint32_t any = uint32_t(random.integer(0, 0xffffffffll));
      std::memcpy(&x, &any, 4);
      if (std::isnan(x)) x = -0.0f;
      break;
    }
    case 3: {
      const float extremes[] = {0.0f, -0.0f, 1e-45f, -1e-45f, -1e-38f, INFINITY, -INFINITY, 3e38f};
      x = extremes[random.integer(0, 7)];
      break;
    }
    default:
      x = float(std::ldexp(code + double(random.integer(-1000, 1000)) / 1000, -fl));
  }
  return x;
}

inline int any_length(Random& random) {
  return int(random.integer(0, 3) ? random.integer(-4, 20) : random.integer(-126, 126));
}

inline void fill(Reals& reals, Random& random, int bits, int fl) {
  for (float& x : reals.memory) x = any_real(random, bits, fl);
}

inline ristretto::CodeWindow any_window(Random& random) {
  ristretto::CodeWindow w;
  w.kernel_h = random.integer(1, random.integer(0, 4) ? 3 : 9);
  w.kernel_w = random.integer(0, 1) ? w.kernel_h : random.integer(1, 5);
  w.stride_h = random.integer(1, 4);
  w.stride_w = random.integer(0, 1) ? w.stride_h : random.integer(1, 4);
  w.pad_h = random.integer(0, w.kernel_h - 1);
  w.pad_w = random.integer(0, w.kernel_w - 1);
  if (random.integer(0, 1)) w.pad_h = w.pad_w = 0;
  if (random.integer(0, 9) == 0) w.kernel_h = w.kernel_w = (int64_t{1} << 31) - 1;
  return w;
}

inline std::string text_of(const ristretto::CodeWindow& w) {
  return check::text(" kernel ", w.kernel_h, ",", w.kernel_w, " stride ", w.stride_h, ",", w.stride_w,
                     " pad ", w.pad_h, ",", w.pad_w);
}

// As Caffe rounds it, or any other number of windows: those behind the image are empty.
inline int64_t any_outputs(Random& random, int64_t extent, int64_t kernel, int64_t stride) {
  if (random.integer(0, 5) == 0) return random.integer(1, 9);
  return std::max<int64_t>(0, extent - kernel + stride - 1) / stride + 1;
}

}  // namespace cases
