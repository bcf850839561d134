// The ops on codes other than convolutions: every row against the definition, bit for bit.
// Also run through SIMDe.
#include <cmath>
#include <limits>
#include <memory>

#include "check.h"
#include "code_op_cases.h"
#include "core/op/codes/quantise.h"
#include "core/op/codes/quantise_tensor.h"
#include "core/op/codes/requantise.h"

using namespace ristretto;
using namespace cases;

namespace {

// Runs the definition, and every row on one and on three threads, into copies of `memory`.
template <class Op, class Memory, class Place>
void compare_rows(typename Op::Arguments a, const Memory& memory, const Place& place,
                  const std::string& what) {
  Op::check(a);
  const auto run = [&](const auto& row, Context& context) {
    Memory copy = memory;
    place(a, copy);
    row.run(context, a);
    return copy;
  };
  const CpuFeatures features = detect_cpu_features();
  Context one(1, features), three(3, features);
  const Memory expected = run(Op::rows().back(), one);
  for (const auto& row : Op::rows()) {
    if (&row == &Op::rows().back() || !row.supports(a, features)) continue;
    for (Context* context : {&one, &three}) {
      const Memory got = run(row, *context);
      if (got.empty() || std::memcmp(got.data(), expected.data(), got.size() * sizeof got[0]) == 0) continue;
      size_t at = 0;
      while (got[at] == expected[at] && at + 1 < got.size()) ++at;
      CHECK(false, row.name, " differs at ", at, ": ", +got[at], ", not ", +expected[at], "; ", what);
    }
  }
}

}  // namespace

TEST(quantise_rows_equal_the_definition) {
  cases::Random random(1);
  for (int i = 0; i < 600; ++i) {
    const DataType type = any_type(random);
    const auto shape = any_shape(random);
    const int bits = int(random.integer(0, 1) ? bits_of_type(type) : random.integer(1, bits_of_type(type)));
    const auto dst = codes_of(type, shape, bits, random);
    Reals src(shape.images, shape.channels, shape.height, shape.width, random);
    QuantiseArguments a;
    a.format = {bits, any_length(random)};
    a.rounding = kRules[random.integer(0, 3)];
    fill(src, random, bits, a.format.fractional_length);
    a.src = src.tensor;
    a.dst = dst->view;
    compare_rows<Quantise>(
        a, dst->memory,
        [&](QuantiseArguments& to, guarded::vector<char>& memory) { to.dst = dst->in(memory); },
        check::text(text_of(a.dst), " bits ", bits, " fl ", a.format.fractional_length, " rounding ",
                    int(a.rounding)));
  }
}

// Every class of float32: signs, exponents, and mantissas around each tie.
TEST(quantise_rows_equal_the_definition_on_every_exponent) {
  for (const auto& [bits, fl] : {std::pair{8, 3}, {8, -100}, {8, 126}, {1, 0}, {16, 16}, {16, -126}, {3, -8}})
    for (const Rounding rounding : kRules) {
      guarded::vector<float> values;
      for (uint32_t high = 0; high < 1 << 12; ++high)
        for (const uint32_t low : {0u, 1u, 0x7ffffu, 0x80000u, 0x80001u, 0xfffffu}) {
          const uint32_t word = high << 20 | low;
          float x;
          std::memcpy(&x, &word, 4);
          if (!std::isnan(x)) values.push_back(x);
        }
      const int64_t width = int64_t(values.size()) / 20;
      QuantiseArguments a;
      a.src = Tensor::of(values.data(), {1, 20, 1, width});
      cases::Codes dst(DataType::i16, {1, 1, width, 20}, -32768, 32767);
      a.dst = dst.view;
      a.format = {bits, fl};
      a.rounding = rounding;
      compare_rows<Quantise>(
          a, dst.memory,
          [&](QuantiseArguments& to, guarded::vector<char>& memory) { to.dst = dst.in(memory); },
          check::text("bits ", bits, " fl ", fl, " rounding ", int(rounding)));
    }
}

TEST(quantise_refuses_a_nan_wherever_it_stands) {
  const CpuFeatures features = detect_cpu_features();
  for (const auto& row : Quantise::rows()) {
    for (const int64_t channels : {1, 3, 16, 37})
      for (int i = 0; i < 40; ++i) {
        cases::Random random(uint32_t(i) + 2);
        const int64_t height = random.integer(1, 3), width = random.integer(1, 40);
        Reals src(1, channels, height, width, random);
        std::fill(src.memory.begin(), src.memory.end(), 1.0f);
        cases::Codes dst(DataType::i8, {1, height, width, channels, 1, 1}, -128, 127);
        QuantiseArguments a;
        a.src = src.tensor;
        a.dst = dst.view;
        if (!row.supports(a, features)) continue;
        Context context(1, features);
        row.run(context, a);
        src.memory[random.integer(0, int64_t(src.memory.size()) - 1)] = NAN;
        bool refused = false;
        try {
          row.run(context, a);
        } catch (const Error& e) {
          refused = std::string(e.what()).find("NaN") != std::string::npos;
        }
        CHECK(refused, row.name, " takes a NaN among ", src.tensor.shape_text());
      }
  }
}

TEST(dequantise_rows_equal_the_definition) {
  cases::Random random(3);
  for (int i = 0; i < 400; ++i) {
    const DataType type = any_type(random);
    const auto shape = any_shape(random);
    const auto src = codes_of(type, shape, bits_of_type(type), random);
    Reals dst(shape.images, shape.channels, shape.height, shape.width, random);
    DequantiseArguments a;
    a.src = src->view;
    a.dst = dst.tensor;
    a.fractional_length = any_length(random);
    compare_rows<Dequantise>(
        a, dst.memory,
        [&](DequantiseArguments& to, guarded::vector<float>& memory) { to.dst = dst.in(memory); },
        check::text(text_of(a.src), " fl ", a.fractional_length));
  }
}

TEST(quantise_undoes_dequantise) {
  cases::Random random(4);
  for (int i = 0; i < 60; ++i) {
    const DataType type = any_type(random);
    const auto shape = any_shape(random);
    const auto codes = codes_of(type, shape, bits_of_type(type), random);
    Reals reals(shape.images, shape.channels, shape.height, shape.width, random);
    Context context(2, detect_cpu_features());
    const int fl = int(random.integer(-60, 60));
    guarded::vector<char> memory = codes->memory;
    for (char& byte : memory) byte = char(~byte);
    const CodeTensor back = codes->in(memory);
    Dequantise::run(context, {codes->view, reals.tensor, fl});
    Quantise::run(context, {reals.tensor, back, {bits_of_type(type), fl}, kRules[random.integer(0, 3)]});
    for (int64_t n = 0; n < back.images; ++n)
      for (int64_t h = -back.halo_h; h < back.height + back.halo_h; ++h)
        for (int64_t w = -back.halo_w; w < back.width + back.halo_w; ++w)
          for (int64_t c = 0; c < back.channels; ++c)
            CHECK_EQUAL(back.code(n, h, w, c), codes->view.code(n, h, w, c), text_of(back));
  }
}

TEST(requantise_rows_equal_the_definition) {
  cases::Random random(5);
  for (int i = 0; i < 500; ++i) {
    const DataType src_type = any_type(random), dst_type = any_type(random);
    const auto shape = any_shape(random);
    auto dst_shape = any_shape(random);
    dst_shape.images = shape.images, dst_shape.height = shape.height, dst_shape.width = shape.width;
    dst_shape.channels = shape.channels;
    const int bits =
        int(random.integer(0, 1) ? bits_of_type(dst_type) : random.integer(1, bits_of_type(dst_type)));
    const auto src = codes_of(src_type, shape, bits_of_type(src_type), random);
    const auto dst = codes_of(dst_type, dst_shape, bits, random);
    RequantiseArguments a;
    a.src = src->view;
    a.dst = dst->view;
    a.src_fractional_length = any_length(random);
    a.format = {bits, any_length(random)};
    if (random.integer(0, 2))
      a.format.fractional_length =
          std::clamp(a.src_fractional_length + int(random.integer(-17, 17)), -126, 126);
    a.rounding = kRules[random.integer(0, 3)];
    a.relu = random.integer(0, 1);
    compare_rows<RequantiseCodes>(
        a, dst->memory,
        [&](RequantiseArguments& to, guarded::vector<char>& memory) { to.dst = dst->in(memory); },
        check::text(text_of(a.src), " to ", text_of(a.dst), " fl ", a.src_fractional_length, " to ",
                    a.format.fractional_length, " bits ", bits, " rounding ", int(a.rounding), " relu ",
                    a.relu));
  }
}

TEST(maximum_rows_equal_the_definition) {
  cases::Random random(6);
  for (int i = 0; i < 600; ++i) {
    const DataType type = any_type(random);
    const auto shape = any_shape(random);
    const auto src = codes_of(type, shape, bits_of_type(type), random);
    MaxPoolingCodesArguments a;
    a.window = any_window(random);
    const CodeWindow& w = a.window;
    auto dst_shape = any_shape(random);
    dst_shape.images = shape.images, dst_shape.channels = shape.channels;
    dst_shape.height = any_outputs(random, shape.height + 2 * w.pad_h, w.kernel_h, w.stride_h);
    dst_shape.width = any_outputs(random, shape.width + 2 * w.pad_w, w.kernel_w, w.stride_w);
    const auto dst = codes_of(type, dst_shape, int(random.integer(2, bits_of_type(type))), random);
    a.src = src->view;
    a.dst = dst->view;
    compare_rows<MaxPoolingCodes>(
        a, dst->memory,
        [&](MaxPoolingCodesArguments& to, guarded::vector<char>& memory) { to.dst = dst->in(memory); },
        check::text(text_of(a.src), " to ", text_of(a.dst), text_of(w)));
  }
}

TEST(mean_rows_equal_the_definition) {
  cases::Random random(7);
  for (int i = 0; i < 500; ++i) {
    const DataType type = any_type(random);
    const auto shape = any_shape(random);
    const auto src = codes_of(type, shape, bits_of_type(type), random);
    AveragePoolingCodesArguments a;
    a.window = any_window(random);
    CodeWindow& w = a.window;
    if (random.integer(0, 2) == 0) w = {shape.height, shape.width, 1, 1, 0, 0};  // global
    const int64_t P = any_outputs(random, shape.height + 2 * w.pad_h, w.kernel_h, w.stride_h);
    const int64_t Q = any_outputs(random, shape.width + 2 * w.pad_w, w.kernel_w, w.stride_w);
    Reals dst(shape.images, shape.channels, P, Q, random);
    a.src = src->view;
    a.dst = dst.tensor;
    a.fractional_length = any_length(random);
    compare_rows<AveragePoolingCodes>(
        a, dst.memory,
        [&](AveragePoolingCodesArguments& to, guarded::vector<float>& memory) { to.dst = dst.in(memory); },
        check::text(text_of(a.src), " to ", P, ",", Q, text_of(w)));
  }
}

// A window as large as a 32-bit sum of the largest codes allows, and one beyond it.
TEST(means_of_large_windows_are_exact) {
  for (const int64_t width : {65535, 65537}) {
    cases::Codes src(DataType::i16, {1, 1, width, 9}, -32768, 32767);
    for (int64_t w = 0; w < width; ++w)
      for (int64_t c = 0; c < 9; ++c) src.view.set_code(0, 0, w, c, -32768);
    guarded::vector<float> mean(9);
    AveragePoolingCodesArguments a;
    a.src = src.view;
    a.dst = Tensor::of(mean.data(), {1, 9});
    a.window = {1, width, 1, 1, 0, 0};
    Context context(1, detect_cpu_features());
    AveragePoolingCodes::check(a);
    AveragePoolingCodes::run(context, a);
    for (const float x : mean) CHECK_EQUAL(x, -32768.0f, width);
  }
}

TEST(quantise_tensor_is_the_scalar_code) {
  cases::Random random(8);
  for (int i = 0; i < 60; ++i) {
    const DataType types[] = {DataType::i8, DataType::i16, DataType::i32};
    const DataType type = types[random.integer(0, 2)];
    const int most = type == DataType::i32 ? 32 : bits_of_type(type), bits = int(random.integer(1, most));
    Reals src(random.integer(0, 5), random.integer(1, 20), 3, 5, random);
    QuantiseTensorArguments a;
    a.format = {bits, any_length(random)};
    a.rounding = kRules[random.integer(0, 3)];
    fill(src, random, std::min(bits, 20), a.format.fractional_length);
    a.src = src.tensor;
    a.dst = src.tensor;
    a.dst.type = type;
    a.dst.image_stride = a.src.image_count() + random.integer(0, 3);
    guarded::vector<char> memory(
        size_t(std::max<int64_t>(1, a.src.dim[0]) * a.dst.image_stride * size_of(type)));
    a.dst.data = memory.data();
    QuantiseTensor::check(a);
    Context context(2, detect_cpu_features());
    QuantiseTensor::run(context, a);
    const DynamicFixedPoint format = dynamic_fixed_point(bits, a.format.fractional_length, a.rounding);
    for (int64_t n = 0; n < a.src.dim[0]; ++n)
      for (int64_t j = 0; j < a.src.image_count(); ++j) {
        const int64_t at = n * a.dst.image_stride + j;
        const int64_t got = type == DataType::i32   ? reinterpret_cast<int32_t*>(memory.data())[at]
                            : type == DataType::i16 ? reinterpret_cast<int16_t*>(memory.data())[at]
                                                    : reinterpret_cast<int8_t*>(memory.data())[at];
        CHECK_EQUAL(got, dynamic_fixed_point_code(a.src.image(n)[j], format, 0));
      }
  }
}

TEST(refuses_what_does_not_fit) {
  cases::Codes codes(DataType::i8, {1, 2, 3, 4}, -128, 127), other(DataType::i8, {1, 2, 3, 5}, -128, 127);
  guarded::vector<float> memory(24);
  const auto refused = [](auto op, const auto& a) {
    try {
      decltype(op)::check(a);
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  QuantiseArguments q{Tensor::of(memory.data(), {1, 4, 2, 3}), codes.view, {8, 0}};
  CHECK(!refused(Quantise(), q));
  q.format.bit_width = 9;
  CHECK(refused(Quantise(), q));
  q.format.bit_width = 8, q.rounding = Rounding::stochastic;
  CHECK(refused(Quantise(), q));
  q.rounding = Rounding::floor, q.src = Tensor::of(memory.data(), {1, 2, 3, 4});
  CHECK(refused(Quantise(), q));
  DequantiseArguments d{codes.view, Tensor::of(memory.data(), {1, 4, 2, 3}), 0};
  CHECK(!refused(Dequantise(), d));
  d.fractional_length = 127;
  CHECK(refused(Dequantise(), d));
  RequantiseArguments r{codes.view, codes.view, 0, {8, 0}};
  CHECK(!refused(RequantiseCodes(), r));
  r.dst = other.view;
  CHECK(refused(RequantiseCodes(), r));
  MaxPoolingCodesArguments m{codes.view, codes.view, {1, 1, 1, 1, 0, 0}};
  CHECK(!refused(MaxPoolingCodes(), m));
  m.window.pad_h = 1;
  CHECK(refused(MaxPoolingCodes(), m));
  m.window.pad_h = 0, m.dst.type = DataType::u8;
  CHECK(refused(MaxPoolingCodes(), m));
  AveragePoolingCodesArguments v{codes.view, Tensor::of(memory.data(), {1, 4, 2, 3}), {1, 1, 1, 1, 0, 0}, 0};
  CHECK(!refused(AveragePoolingCodes(), v));
  v.dst = Tensor::of(memory.data(), {1, 5});
  CHECK(refused(AveragePoolingCodes(), v));
}
