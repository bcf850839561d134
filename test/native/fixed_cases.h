// Random fixed-point convolutions with their memory.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "code_cases.h"
#include "core/op/quantized_convolution/convolution_fixed.h"

namespace cases {

// A random problem with its memory.
struct FixedProblem {
  struct Shape {
    int64_t n, c, h, w, k, r, s, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group;
    int64_t spread_h = 1, spread_w = 1;
  };
  struct Kind {
    int src_bits, weights_bits;
    bool extremes = false;  // every weight and code at the end of its range
  };

  static Shape random_shape(Random& random) {
    if (random.integer(0, 3) == 0) {
      const WindowShape s = WindowShape::small(random);
      return {s.n,        s.c,        s.h,     s.w,     s.k,          s.r,          s.s,
              s.stride_h, s.stride_w, s.pad_h, s.pad_w, s.dilation_h, s.dilation_w, s.group};
    }
    Shape s{};
    s.n = random.integer(1, 3);
    s.group = random.integer(0, 3) ? 1 : random.integer(2, 3);
    s.c = s.group * random.integer(1, random.integer(0, 4) ? 20 : 90);
    s.k = s.group * random.integer(1, random.integer(0, 2) ? 40 : 100);
    s.r = random.integer(1, 4);
    s.s = random.integer(0, 1) ? s.r : random.integer(1, 7);
    s.stride_h = random.integer(0, 1) ? 1 : random.integer(1, 3);
    s.stride_w = random.integer(0, 1) ? s.stride_h : random.integer(1, 3);
    s.pad_h = random.integer(0, 3);
    s.pad_w = random.integer(0, 3);
    s.dilation_h = random.integer(0, 3) ? 1 : random.integer(1, 3);
    s.dilation_w = random.integer(0, 3) ? 1 : 2;
    s.h = random.integer(1, 12);
    s.w = random.integer(0, 2) ? random.integer(1, 16) : random.integer(20, 60);
    if (random.integer(0, 3) == 0) s.r = s.s = 1, s.pad_h = s.pad_w = 0, s.stride_h = s.stride_w = 1;
    if (random.integer(0, 7) == 0) s.spread_h = random.integer(1, 3), s.spread_w = random.integer(2, 3);
    s.h = std::max(s.h, s.dilation_h * (s.r - 1) + 1 - 2 * s.pad_h);
    s.w = std::max(s.w, s.dilation_w * (s.s - 1) + 1 - 2 * s.pad_w);
    if (random.integer(0, 7) == 0) {  // an inner product: the kernel covers the map
      s.pad_h = s.pad_w = 0, s.dilation_h = s.dilation_w = 1;
      s.h = s.r, s.w = s.s, s.n = random.integer(1, 30), s.spread_h = s.spread_w = 1;
    }
    return s;
  }

  static ristretto::DataType src_type(Random& random, int bits, bool non_negative) {
    if (bits > 8) return ristretto::DataType::i16;
    return non_negative           ? ristretto::DataType::i8
           : random.integer(0, 2) ? ristretto::DataType::u8
                                  : ristretto::DataType::i8;
  }

  FixedProblem(const Shape& s, const Kind& kind, Random& random) {
    a.stride_h = s.stride_h, a.stride_w = s.stride_w, a.pad_h = s.pad_h, a.pad_w = s.pad_w;
    a.dilation_h = s.dilation_h, a.dilation_w = s.dilation_w, a.group = s.group;
    a.spread_h = s.spread_h, a.spread_w = s.spread_w;
    const int64_t p =
        ((s.h - 1) * s.spread_h + 1 + 2 * s.pad_h - s.dilation_h * (s.r - 1) - 1) / s.stride_h + 1;
    const int64_t q =
        ((s.w - 1) * s.spread_w + 1 + 2 * s.pad_w - s.dilation_w * (s.s - 1) - 1) / s.stride_w + 1;
    const bool non_negative = random.integer(0, 1);
    const int high = (1 << (kind.src_bits - 1)) - 1, low = non_negative ? 0 : -high - 1;
    const bool has_halo = random.integer(0, 2), is_slice = random.integer(0, 3) == 0;
    src = std::make_unique<Codes>(
        src_type(random, kind.src_bits, non_negative),
        Codes::Shape{s.n, s.h, s.w, s.c, has_halo ? s.pad_h + random.integer(0, 1) : 0,
                     has_halo ? s.pad_w + random.integer(0, 1) : 0, is_slice ? random.integer(0, 5) : 0,
                     is_slice ? random.integer(0, 5) : 0},
        low, high, random.integer(0, 1) ? 64 : 0);
    src->fill(random);
    a.src = src->view;

    const int64_t count = s.k * (s.c / s.group) * s.r * s.s;
    const int most = (1 << (kind.weights_bits - 1)) - 1;
    weights.resize(count * (kind.weights_bits > 8 ? 2 : 1));
    const int64_t spread = random.integer(0, 2) ? most : std::max(1, most / 16);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t w =
          kind.extremes ? (random.integer(0, 1) ? most : -most - 1) : random.integer(-spread, spread);
      if (kind.weights_bits > 8)
        reinterpret_cast<int16_t*>(weights.data())[i] = int16_t(w);
      else
        weights[i] = char(w);
    }
    a.weights = ristretto::Tensor::of(nullptr, {s.k, s.c / s.group, s.r, s.s});
    a.weights.data = weights.data();
    a.weights.type = kind.weights_bits > 8 ? ristretto::DataType::i16 : ristretto::DataType::i8;
    a.weights_bit_width = kind.weights_bits;
    bias.resize(s.k);
    for (int32_t& b : bias) b = int32_t(random.integer(-most - 1, most));
    if (random.integer(0, 3)) {
      a.bias = ristretto::Tensor::of(nullptr, {s.k});
      a.bias.data = bias.data();
      a.bias.type = ristretto::DataType::i32;
    }

    // Formats that put typical sums within the output's range, and now and then far from it.
    a.src_fractional_length = int(random.integer(-4, 12));
    a.weights_fractional_length = int(random.integer(-3, 14));
    const int depth_bits = int(std::log2(double(a.weights.count(1))) / 2);
    const int typical = a.src_fractional_length + a.weights_fractional_length - kind.src_bits -
                        kind.weights_bits + 10 - depth_bits;
    a.output.bit_width = int(random.integer(0, 1) ? random.integer(1, 8) : 8);
    a.output.fractional_length =
        typical + int(random.integer(0, 3) ? random.integer(-2, 2) : random.integer(-30, 30));
    a.relu = random.integer(0, 1);
    a.requantises = random.integer(0, 1);
    const bool wide = random.integer(0, 3) == 0;
    a.consumer.bit_width = int(wide ? random.integer(9, 16) : random.integer(1, 8));
    a.consumer.fractional_length = a.output.fractional_length + int(random.integer(-4, 4));
    if (wide) a.output.bit_width = int(random.integer(9, 16)), a.output.fractional_length += 8;
    const ristretto::Rounding rules[] = {ristretto::Rounding::half_away_from_zero,
                                         ristretto::Rounding::half_to_even, ristretto::Rounding::half_up,
                                         ristretto::Rounding::floor};
    a.rounding = rules[random.integer(0, 2) ? 0 : random.integer(0, 3)];
    const int width = a.requantises ? a.consumer.bit_width : a.output.bit_width;
    const ristretto::DataType type = width > 8 || random.integer(0, 7) == 0 ? ristretto::DataType::i16
                                     : random.integer(0, 1)                 ? ristretto::DataType::u8
                                                                            : ristretto::DataType::i8;
    const bool dst_slice = random.integer(0, 2) == 0;
    dst = std::make_unique<Codes>(
        type,
        Codes::Shape{s.n, p, q, s.k, random.integer(0, 2), random.integer(0, 2),
                     dst_slice ? random.integer(0, 40) : 0, dst_slice ? random.integer(0, 40) : 0},
        -(1 << (width - 1)), (1 << (width - 1)) - 1);
    dst->fill(random);
    a.dst = dst->view;
  }

  std::string text() const {
    return check::text("src ", a.src.shape_text(), " type ", int(a.src.type), " halo ", a.src.halo_h, ",",
                       a.src.halo_w, " pixel ", a.src.pixel_stride, " slack ", a.src.slack, " weights ",
                       a.weights.shape_text(), " stride ", a.stride_h, ",", a.stride_w, " pad ", a.pad_h, ",",
                       a.pad_w, " dilation ", a.dilation_h, ",", a.dilation_w, " group ", a.group, " spread ",
                       a.spread_h, ",", a.spread_w, " fl ", a.src_fractional_length, ",",
                       a.weights_fractional_length, " output ", a.output.bit_width, ",",
                       a.output.fractional_length, " consumer ", a.requantises ? a.consumer.bit_width : 0,
                       ",", a.consumer.fractional_length, " rounding ", int(a.rounding), " relu ", a.relu);
  }

  template <class Run>
  guarded::vector<char> result(const Run& run) const {
    guarded::vector<char> memory = dst->memory;
    ristretto::ConvolutionFixedArguments copy = a;
    copy.dst = dst->in(memory);
    run(copy);
    return memory;
  }

  void compare(const guarded::vector<char>& got, const guarded::vector<char>& expected,
               const std::string& what) const {
    if (got == expected) return;
    guarded::vector<char> g = got, e = expected;
    const ristretto::CodeTensor a_view = dst->in(g), b_view = dst->in(e);
    for (int64_t n = 0; n < a.dst.images; ++n)
      for (int64_t h = -a.dst.halo_h; h < a.dst.height + a.dst.halo_h; ++h)
        for (int64_t w = -a.dst.halo_w; w < a.dst.width + a.dst.halo_w; ++w)
          for (int64_t c = 0; c < a.dst.channels; ++c)
            CHECK_EQUAL(a_view.code(n, h, w, c), b_view.code(n, h, w, c), what, " at ", n, ",", h, ",", w,
                        ",", c, "; ", text());
    CHECK(false, what, " wrote outside of its view; ", text());
  }

  ristretto::ConvolutionFixedArguments a;
  std::unique_ptr<Codes> src, dst;
  guarded::vector<char> weights;
  guarded::vector<int32_t> bias;
};

}  // namespace cases
