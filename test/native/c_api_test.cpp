// The C interface against the definitions of the ops that it stands for, and its refusals.
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "code_cases.h"
#include "core/op/codes/quantise.h"
#include "core/op/codes/requantise.h"
#include "core/op/pooling/pooling_codes.h"
#include "core/op/quantized_convolution/convolution_fixed.h"
#include "core/op/trim/range.h"
#include "core/op/trim/trim.h"
#include "ristretto.h"

using namespace ristretto;

namespace {

struct Free {
  void operator()(ristretto_context* context) const { ristretto_context_destroy(context); }
  void operator()(ristretto_convolution* convolution) const { ristretto_convolution_destroy(convolution); }
};
using ContextOwner = std::unique_ptr<ristretto_context, Free>;
using ConvolutionOwner = std::unique_ptr<ristretto_convolution, Free>;

#define CHECK_OK(status) CHECK_EQUAL(status, RISTRETTO_OK, ristretto_last_error())
// Fails with this status and a message that holds this text.
#define CHECK_REFUSED(status, expected, part)                                                \
  do {                                                                                       \
    CHECK_EQUAL(status, expected);                                                           \
    CHECK(std::string(ristretto_last_error()).find(part) != std::string::npos, "message: '", \
          ristretto_last_error(), "'");                                                      \
  } while (0)

ContextOwner make_context(int threads = 2) {
  ristretto_context* context = nullptr;
  CHECK_OK(ristretto_context_create(threads, "auto", &context));
  return ContextOwner(context);
}

ConvolutionOwner make_convolution(const ristretto_convolution_parameters& parameters) {
  ristretto_convolution* convolution = nullptr;
  CHECK_OK(ristretto_convolution_create(&parameters, &convolution));
  return ConvolutionOwner(convolution);
}

ristretto_codes codes_of(const CodeTensor& t) {
  ristretto_codes c = {};
  c.data = t.data;
  c.type = t.type == DataType::i16 ? RISTRETTO_I16 : t.type == DataType::u8 ? RISTRETTO_U8 : RISTRETTO_I8;
  c.images = t.images, c.height = t.height, c.width = t.width, c.channels = t.channels;
  c.image_stride = t.image_stride, c.row_stride = t.row_stride, c.pixel_stride = t.pixel_stride;
  c.halo_h = t.halo_h, c.halo_w = t.halo_w;
  c.low = t.low, c.high = t.high;
  return c;
}

// A convolution 3 -> 5 channels of 2 x 2 on 4 x 4 that every part of can be changed.
struct Small {
  guarded::vector<int8_t> src = guarded::vector<int8_t>(48, 1), weights = guarded::vector<int8_t>(60, 1),
                          dst = guarded::vector<int8_t>(45);
  ristretto_convolution_parameters parameters = {};
  ristretto_codes in = {}, out = {};
  Small() {
    parameters.src_channels = 3, parameters.dst_channels = 5;
    parameters.kernel_h = parameters.kernel_w = 2;
    parameters.weights = weights.data();
    parameters.weights_type = RISTRETTO_I8;
    parameters.output = {8, 0};
    in.data = src.data(), in.images = 1, in.height = in.width = 4, in.channels = 3;
    out.data = dst.data(), out.images = 1, out.height = out.width = 3, out.channels = 5;
  }
};

}  // namespace

TEST(the_version_of_library_and_header_is_one) {
  CHECK_EQUAL(ristretto_version(), RISTRETTO_VERSION);
  CHECK_EQUAL(
      std::string(ristretto_version_text()),
      check::text(RISTRETTO_VERSION_MAJOR, ".", RISTRETTO_VERSION_MINOR, ".", RISTRETTO_VERSION_PATCH));
}

TEST(contexts_take_threads_and_an_instruction_set) {
  CHECK_EQUAL(ristretto_context_threads(make_context(3).get()), 3);
  CHECK(ristretto_context_threads(make_context(0).get()) >= 1);
  ristretto_context* context = nullptr;
  CHECK_OK(ristretto_context_create(1, "portable", &context));
  ContextOwner owner(context);
  CHECK_REFUSED(ristretto_context_create(1, "mmx", &context), RISTRETTO_ERROR_ARGUMENT,
                "unknown instruction set 'mmx'");
  CHECK(context == nullptr);
  CHECK_REFUSED(ristretto_context_create(1025, nullptr, &context), RISTRETTO_ERROR_ARGUMENT, "threads");
  CHECK_REFUSED(ristretto_context_create(1, nullptr, nullptr), RISTRETTO_ERROR_ARGUMENT, "NULL");
  ristretto_context_destroy(nullptr);
  ristretto_convolution_destroy(nullptr);
}

TEST(every_thread_has_a_last_error_of_its_own) {
  ristretto_context* context = nullptr;
  CHECK_REFUSED(ristretto_context_create(-1, nullptr, &context), RISTRETTO_ERROR_ARGUMENT, "threads: -1");
  std::string other = "unset";
  std::thread([&] { other = ristretto_last_error(); }).join();
  CHECK_EQUAL(other, std::string());
  CHECK_EQUAL(std::string(ristretto_last_error()).substr(0, 11), std::string("threads: -1"));
}

// Slices of wider tensors, with halo and without, all three storages, both weights.
TEST(convolutions_give_the_definitions_codes) {
  cases::Random random(11);
  const ContextOwner context = make_context();
  Context core(1, CpuFeatures{});
  for (int round = 0; round < 60; ++round) {
    const bool words = round % 3 == 2, wide_weights = round % 5 == 4;
    const DataType type = words ? DataType::i16 : round % 3 == 1 ? DataType::u8 : DataType::i8;
    const int low = words ? -3000 : -128, high = words ? 3000 : 127;
    const int64_t group = 1 + round % 2, C = group * random.integer(1, 9), K = group * random.integer(1, 40);
    ConvolutionFixedArguments a;
    a.group = group;
    a.stride_h = random.integer(1, 2), a.stride_w = random.integer(1, 2);
    a.pad_h = random.integer(0, 2), a.pad_w = random.integer(0, 2);
    a.dilation_h = random.integer(1, 2);
    const int64_t R = random.integer(1, 3), S = random.integer(1, 3);
    const int64_t H = random.integer(6, 12), W = random.integer(6, 20);
    const int64_t P = (H + 2 * a.pad_h - a.dilation_h * (R - 1) - 1) / a.stride_h + 1;
    const int64_t Q = (W + 2 * a.pad_w - S) / a.stride_w + 1;
    cases::Codes src(type,
                     {2, H, W, C, round % 2 * 2, round % 2 * 2, random.integer(0, 3), random.integer(0, 3)},
                     low, high);
    src.fill(random);
    const DataType dst_type = round % 4 == 0 ? DataType::i16 : DataType::i8;
    cases::Codes dst(dst_type, {2, P, Q, K, 1, 1, random.integer(0, 2), 3}, -128, 127);
    dst.fill(random);
    guarded::vector<int16_t> weights(size_t(K * C / group * R * S));
    for (int16_t& w : weights) w = int16_t(random.integer(-128, 127) * (wide_weights ? 100 : 1));
    guarded::vector<int8_t> narrow(weights.begin(), weights.end());
    guarded::vector<int32_t> bias(static_cast<size_t>(K));
    for (int32_t& b : bias) b = int32_t(random.integer(-500, 500));
    a.src = src.view, a.dst = dst.view;
    a.weights = Tensor::of(nullptr, {K, C / group, R, S});
    a.weights.type = wide_weights ? DataType::i16 : DataType::i8;
    a.weights.data = wide_weights ? static_cast<void*>(weights.data()) : narrow.data();
    if (round % 3) {
      a.bias = Tensor::of(nullptr, {K});
      a.bias.type = DataType::i32;
      a.bias.data = bias.data();
    }
    a.src_fractional_length = int(random.integer(-2, 6));
    a.weights_fractional_length = int(random.integer(0, 9));
    a.output = {8, int(random.integer(-8, 6))};
    a.relu = round % 2;
    a.requantises = round % 4 == 3;
    a.consumer = {8, a.output.fractional_length - 2};
    a.rounding = Rounding(round % 4);

    ristretto_convolution_parameters p = {};
    p.src_channels = C, p.dst_channels = K, p.kernel_h = R, p.kernel_w = S;
    p.stride_h = a.stride_h, p.stride_w = a.stride_w, p.pad_h = a.pad_h, p.pad_w = a.pad_w;
    p.dilation_h = a.dilation_h, p.group = group;
    p.weights = a.weights.data;
    p.weights_type = wide_weights ? RISTRETTO_I16 : RISTRETTO_I8;
    p.bias = static_cast<const int32_t*>(a.bias.data);
    p.src_fractional_length = a.src_fractional_length;
    p.weights_fractional_length = a.weights_fractional_length;
    p.output = {a.output.bit_width, a.output.fractional_length};
    p.consumer = {a.consumer.bit_width, a.consumer.fractional_length};
    p.relu = a.relu, p.requantises = a.requantises, p.rounding = int32_t(a.rounding);
    const ConvolutionOwner convolution = make_convolution(p);
    // The library has copies.
    guarded::vector<int16_t> kept = weights;
    int64_t height = 0, width = 0;
    CHECK_OK(ristretto_convolution_output(convolution.get(), H, W, &height, &width));
    CHECK_EQUAL(height, P);
    CHECK_EQUAL(width, Q);

    guarded::vector<char> expected = dst.memory;
    a.dst = dst.in(expected);
    ConvolutionFixed::check(a);
    convolution_fixed_ref(core, a);
    std::fill(weights.begin(), weights.end(), int16_t(0));
    std::fill(narrow.begin(), narrow.end(), int8_t(0));
    std::fill(bias.begin(), bias.end(), 0);
    const ristretto_codes in = codes_of(src.view), out = codes_of(dst.view);
    for (int run = 0; run < 2; ++run) {  // packs, then finds packed
      CHECK_OK(ristretto_convolution_run(context.get(), convolution.get(), &in, &out));
      CHECK(dst.memory == expected, "round ", round, " run ", run);
    }
  }
}

TEST(strides_of_zero_are_dense) {
  Small s;
  const ContextOwner context = make_context();
  const ConvolutionOwner convolution = make_convolution(s.parameters);
  CHECK_OK(ristretto_convolution_run(context.get(), convolution.get(), &s.in, &s.out));
  for (const int8_t code : s.dst) CHECK_EQUAL(int(code), 12);
  s.out.pixel_stride = 5, s.out.row_stride = 15, s.out.image_stride = 45;
  std::fill(s.dst.begin(), s.dst.end(), int8_t(0));
  CHECK_OK(ristretto_convolution_run(context.get(), convolution.get(), &s.in, &s.out));
  for (const int8_t code : s.dst) CHECK_EQUAL(int(code), 12);
}

TEST(convolutions_refuse_what_does_not_fit) {
  const ContextOwner context = make_context();
  const auto refused = [&](const char* part, auto change) {
    Small s;
    change(s);
    ristretto_convolution* made = nullptr;
    const ristretto_status status = ristretto_convolution_create(&s.parameters, &made);
    const ConvolutionOwner convolution(made);
    if (status == RISTRETTO_OK)
      CHECK_REFUSED(ristretto_convolution_run(context.get(), made, &s.in, &s.out), RISTRETTO_ERROR_ARGUMENT,
                    part);
    else
      CHECK_REFUSED(status, RISTRETTO_ERROR_ARGUMENT, part);
  };
  refused("weights: is NULL", [](Small& s) { s.parameters.weights = nullptr; });
  refused("weights_type", [](Small& s) { s.parameters.weights_type = 7; });
  refused("weights are I8 or I16", [](Small& s) { s.parameters.weights_type = RISTRETTO_U8; });
  refused("group", [](Small& s) { s.parameters.group = 2; });
  refused("kernel_h", [](Small& s) { s.parameters.kernel_h = 0; });
  refused("stride_w", [](Small& s) { s.parameters.stride_w = -1; });
  refused("pad_h", [](Small& s) { s.parameters.pad_h = -1; });
  refused("output", [](Small& s) { s.parameters.output.bit_width = 17; });
  refused("consumer", [](Small& s) { s.parameters.requantises = 1; });
  refused("rounding", [](Small& s) { s.parameters.rounding = RISTRETTO_STOCHASTIC; });
  refused("rounding", [](Small& s) { s.parameters.rounding = 9; });
  refused("too many elements", [](Small& s) {
    s.parameters.src_channels = s.parameters.dst_channels = INT32_MAX;
    s.parameters.kernel_h = s.parameters.kernel_w = 1 << 20;
  });
  // More than any address space holds.
  {
    Small s;
    s.parameters.src_channels = s.parameters.dst_channels = 1 << 30;
    ristretto_convolution* made = nullptr;
    CHECK_REFUSED(ristretto_convolution_create(&s.parameters, &made), RISTRETTO_ERROR_MEMORY,
                  "cannot allocate");
    CHECK(made == nullptr);
  }
  refused("src: data is NULL", [](Small& s) { s.in.data = nullptr; });
  refused("4 input", [](Small& s) { s.in.channels = 4; });
  refused("height", [](Small& s) { s.out.height = 4; });
  refused("images", [](Small& s) { s.in.images = 2; });
  refused("dst", [](Small& s) { s.out.pixel_stride = 4; });
  refused("dst", [](Small& s) { s.out.width = -1; });
  refused("type of codes", [](Small& s) { s.in.type = -1; });
  refused("codes from", [](Small& s) { s.in.high = 200; });
  refused("do not fit the output's type", [](Small& s) { s.parameters.output.bit_width = 12; });
  refused("too many elements", [](Small& s) {
    s.in.images = s.out.images = int64_t{1} << 40, s.in.row_stride = int64_t{1} << 50;
  });
  Small s;
  const ConvolutionOwner convolution = make_convolution(s.parameters);
  CHECK_REFUSED(ristretto_convolution_run(nullptr, convolution.get(), &s.in, &s.out),
                RISTRETTO_ERROR_ARGUMENT, "context: is NULL");
  CHECK_REFUSED(ristretto_convolution_run(context.get(), nullptr, &s.in, &s.out), RISTRETTO_ERROR_ARGUMENT,
                "convolution: is NULL");
  CHECK_REFUSED(ristretto_convolution_run(context.get(), convolution.get(), nullptr, &s.out),
                RISTRETTO_ERROR_ARGUMENT, "src: is NULL");
  int64_t height = 0, width = 0;
  CHECK_REFUSED(ristretto_convolution_output(convolution.get(), 1, 4, &height, &width),
                RISTRETTO_ERROR_ARGUMENT, "height");
}

TEST(trims_give_the_definitions_bits) {
  cases::Random random(5);
  const ContextOwner context = make_context();
  guarded::vector<float> src(100001), dst(src.size()), expected(src.size());
  for (float& x : src) x = float(random.integer(-100000, 100000)) / 3000.0f;
  const RandomStream stream = {77, ristretto_stream("conv1/weights"), 3, 1234567};
  CHECK_EQUAL(stream.stream, fnv1a("conv1/weights", 13));
  const ristretto_random given = {stream.seed, stream.stream, stream.step, stream.first_element};
  for (int32_t kind = 1; kind <= 3; ++kind)
    for (int32_t rounding = 0; rounding <= 4; ++rounding) {
      const ristretto_format format = {kind, rounding, 8, 3, 3, 4, -8, -1};
      TrimFormat f;
      f.kind = kind == 1   ? FormatKind::dynamic_fixed_point
               : kind == 2 ? FormatKind::minifloat
                           : FormatKind::integer_power_of_two;
      f.rounding = Rounding(rounding);
      f.bit_width = 8, f.fractional_length = 3, f.mantissa_bits = 3, f.exponent_bits = 4;
      CHECK(trim_span_ref(src.data(), expected.data(), int64_t(src.size()), f, stream));
      CHECK_OK(ristretto_trim(context.get(), src.data(), dst.data(), int64_t(src.size()), &format, &given));
      CHECK(std::memcmp(dst.data(), expected.data(), dst.size() * 4) == 0, "kind ", kind, " rounding ",
            rounding);
      guarded::vector<float> in_place = src;
      CHECK_OK(ristretto_trim(context.get(), in_place.data(), in_place.data(), int64_t(src.size()), &format,
                              &given));
      CHECK(std::memcmp(in_place.data(), expected.data(), dst.size() * 4) == 0, "in place, kind ", kind);
    }
}

TEST(trims_refuse_what_makes_no_sense) {
  const ContextOwner context = make_context();
  guarded::vector<float> data(8, 1.0f);
  ristretto_format format = {RISTRETTO_DYNAMIC_FIXED_POINT, RISTRETTO_HALF_TO_EVEN, 8, 0, 0, 0, 0, 0};
  const auto trim = [&](float* dst, int64_t count) {
    return ristretto_trim(context.get(), data.data(), dst, count, &format, nullptr);
  };
  CHECK_OK(trim(data.data(), 8));
  CHECK_OK(trim(nullptr, 0));
  CHECK_REFUSED(trim(nullptr, 1), RISTRETTO_ERROR_ARGUMENT, "dst: is NULL");
  CHECK_REFUSED(trim(data.data(), -1), RISTRETTO_ERROR_ARGUMENT, "-1 elements");
  CHECK_REFUSED(trim(data.data() + 1, 7), RISTRETTO_ERROR_ARGUMENT, "overlaps");
  format.rounding = RISTRETTO_STOCHASTIC;
  CHECK_REFUSED(trim(data.data(), 8), RISTRETTO_ERROR_ARGUMENT, "random: is NULL");
  format.rounding = RISTRETTO_FLOOR;
  format.bit_width = 33;
  CHECK_REFUSED(trim(data.data(), 8), RISTRETTO_ERROR_ARGUMENT, "bit width 33");
  format.bit_width = 8;
  format.kind = 0;
  CHECK_REFUSED(trim(data.data(), 8), RISTRETTO_ERROR_ARGUMENT, "kind of format");
  format.kind = RISTRETTO_DYNAMIC_FIXED_POINT;
  data[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_REFUSED(trim(data.data(), 8), RISTRETTO_ERROR_DATA, "NaN");
}

TEST(ranges_say_what_the_values_are) {
  const ContextOwner context = make_context();
  const float infinity = std::numeric_limits<float>::infinity();
  guarded::vector<float> data = {0.0f, 1.5f, -3.0f, 200.0f, infinity, std::nanf("")};
  ristretto_range_result result;
  const ristretto_format format = {RISTRETTO_DYNAMIC_FIXED_POINT, 0, 8, 0, 0, 0, 0, 0};
  CHECK_OK(ristretto_range(context.get(), data.data(), int64_t(data.size()), &format, &result));
  CHECK_EQUAL(result.least, -3.0f);
  CHECK_EQUAL(result.greatest, infinity);
  CHECK_EQUAL(result.largest_magnitude, infinity);
  CHECK_EQUAL(result.nans, 1);
  CHECK_EQUAL(result.infinities, 1);
  CHECK_EQUAL(result.saturated, 2);
  CHECK_EQUAL(result.exponents[0], 1);
  CHECK_EQUAL(result.exponents[127], 1);
  CHECK_EQUAL(result.exponents[128], 1);
  CHECK_EQUAL(result.exponents[134], 1);
  CHECK_EQUAL(result.exponents[255], 2);
  CHECK_OK(ristretto_range(context.get(), data.data(), 4, nullptr, &result));
  CHECK_EQUAL(result.saturated, 0);
  CHECK_EQUAL(result.largest_magnitude, 200.0f);
  CHECK_OK(ristretto_range(context.get(), nullptr, 0, nullptr, &result));
  CHECK_EQUAL(result.least, infinity);
  CHECK_REFUSED(ristretto_range(context.get(), data.data(), 4, nullptr, nullptr), RISTRETTO_ERROR_ARGUMENT,
                "result: is NULL");
}

TEST(floats_become_codes_and_codes_become_floats) {
  cases::Random random(3);
  const ContextOwner context = make_context();
  Context core(1, CpuFeatures{});
  const int64_t N = 2, C = 5, H = 4, W = 6, stride = C * H * W + 7;
  guarded::vector<float> reals(size_t(N * stride)), back(reals.size(), 9.0f), expected_back = back;
  for (float& x : reals) x = float(random.integer(-4000, 4000)) / 256.0f;
  cases::Codes codes(DataType::u8, {N, H, W, C, 1, 2, 1, 2}, -128, 127),
      other(DataType::i16, {N, H, W, C}, -32768, 32767);
  codes.fill(random);
  other.fill(random);
  guarded::vector<char> expected = codes.memory, expected_other = other.memory;
  Tensor view = Tensor::of(reals.data(), {N, C, H, W});
  view.image_stride = stride;
  Tensor back_view = view;
  back_view.data = expected_back.data();
  const CodeTensor expected_codes = codes.in(expected);
  quantise_ref(core, {view, expected_codes, {7, 4}, Rounding::half_up});
  dequantise_ref(core, {expected_codes, back_view, 4});
  requantise_ref(core, {expected_codes, other.in(expected_other), 4, {12, 9}, Rounding::floor, true});

  const ristretto_floats floats = {reals.data(), N, C, H, W, stride},
                         back_floats = {back.data(), N, C, H, W, stride};
  const ristretto_codes c = codes_of(codes.view), o = codes_of(other.view);
  CHECK_OK(ristretto_quantise(context.get(), &floats, &c, {7, 4}, RISTRETTO_HALF_UP));
  CHECK(codes.memory == expected);
  CHECK_OK(ristretto_dequantise(context.get(), &c, &back_floats, 4));
  CHECK(back == expected_back);
  CHECK_OK(ristretto_requantise(context.get(), &c, &o, 4, {12, 9}, RISTRETTO_FLOOR, 1));
  CHECK(other.memory == expected_other);

  CHECK_REFUSED(ristretto_quantise(context.get(), &floats, &c, {9, 4}, RISTRETTO_HALF_UP),
                RISTRETTO_ERROR_ARGUMENT, "9");
  CHECK_REFUSED(ristretto_quantise(context.get(), &floats, &c, {8, 4}, RISTRETTO_STOCHASTIC),
                RISTRETTO_ERROR_ARGUMENT, "stochastic");
  CHECK_REFUSED(ristretto_dequantise(context.get(), &c, &back_floats, 127), RISTRETTO_ERROR_ARGUMENT, "127");
  const ristretto_floats narrow = {reals.data(), N, C, H, W, stride / 2},
                         taller = {reals.data(), N, C, H + 1, W, 0};
  CHECK_REFUSED(ristretto_quantise(context.get(), &narrow, &c, {8, 4}, 0), RISTRETTO_ERROR_ARGUMENT,
                "src: an image stride");
  CHECK_REFUSED(ristretto_quantise(context.get(), &taller, &c, {8, 4}, 0), RISTRETTO_ERROR_ARGUMENT, "shape");
  CHECK_REFUSED(ristretto_requantise(context.get(), &c, nullptr, 4, {8, 4}, 0, 0), RISTRETTO_ERROR_ARGUMENT,
                "dst: is NULL");
  reals[5] = std::nanf("");
  CHECK_REFUSED(ristretto_quantise(context.get(), &floats, &c, {8, 4}, 0), RISTRETTO_ERROR_DATA, "NaN");
}

TEST(pooling_gives_the_definitions_codes_and_means) {
  cases::Random random(4);
  const ContextOwner context = make_context();
  Context core(1, CpuFeatures{});
  const int64_t N = 2, C = 21, H = 9, W = 7, P = 5, Q = 4;
  cases::Codes src(DataType::i8, {N, H, W, C, 1, 1, 3, 0}, -128, 127),
      dst(DataType::i8, {N, P, Q, C, 0, 1, 0, 5}, -128, 127);
  src.fill(random);
  dst.fill(random);
  guarded::vector<float> means(size_t(N * C * P * Q)), expected_means(means.size());
  guarded::vector<char> expected = dst.memory;
  CodeWindow window;
  window.kernel_h = window.kernel_w = 3;
  window.stride_h = window.stride_w = 2;
  window.pad_h = window.pad_w = 1;
  max_pooling_codes_ref(core, {src.view, dst.in(expected), window});
  average_pooling_codes_ref(core, {src.view, Tensor::of(expected_means.data(), {N, C, P, Q}), window, 3});
  const ristretto_window w = {3, 3, 2, 2, 1, 1};
  const ristretto_codes in = codes_of(src.view), out = codes_of(dst.view);
  const ristretto_floats floats = {means.data(), N, C, P, Q, 0};
  CHECK_OK(ristretto_max_pooling(context.get(), &in, &out, &w));
  CHECK(dst.memory == expected);
  CHECK_OK(ristretto_average_pooling(context.get(), &in, &floats, &w, 3));
  CHECK(means == expected_means);
  CHECK_REFUSED(ristretto_max_pooling(context.get(), &in, &out, nullptr), RISTRETTO_ERROR_ARGUMENT,
                "window: is NULL");
  const ristretto_window none = {};
  CHECK_REFUSED(ristretto_max_pooling(context.get(), &in, &out, &none), RISTRETTO_ERROR_ARGUMENT, "pooling");
  CHECK_REFUSED(ristretto_average_pooling(context.get(), &in, &floats, &w, -127), RISTRETTO_ERROR_ARGUMENT,
                "-127");
}
