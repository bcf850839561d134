// The ops on codes other than convolutions, on the device: equal to the definitions, bit for bit, halos and
// what lies beside the views included.
#include <functional>

#include "../native/code_op_cases.h"
#include "core/context.h"
#include "core/op/codes/quantise.h"
#include "core/op/codes/quantise_tensor.h"
#include "core/op/codes/requantise.h"
#include "cuda/ops.h"
#include "device.h"

using namespace ristretto;
using namespace ristretto::cuda;
using namespace cases;

namespace {

// Half of them in whole vectors of 16 bytes.
Codes::Shape small_shape(Random& random) {
  Codes::Shape s = any_shape(random);
  s.channels = std::min<int64_t>(s.channels, 80);
  if (random.integer(0, 1)) {
    s.channels = (s.channels + 15) / 16 * 16;
    s.before = s.before / 10 * 16, s.after = s.after / 10 * 16;
  }
  return s;
}

// A copy of codes in the device's memory.
struct DeviceCodes {
  explicit DeviceCodes(const Codes& codes) : memory(codes.memory), view(codes.in(memory.data())) {}
  Shared<char> memory;
  CodeTensor view;
};
struct DeviceReals {
  explicit DeviceReals(const Reals& reals) : memory(reals.memory), tensor(reals.tensor) {
    tensor.data = memory.data();
  }
  Shared<float> memory;
  Tensor tensor;
};

template <class Arguments>
void run_here(const Arguments& a) {
  CHECK(cuda::run(test_context(), a));
  test_context().synchronize();
}

template <class Memory, class T>
void compare(const Shared<T>& got, const Memory& expected, const std::string& what) {
  for (size_t i = 0; i < expected.size(); ++i)
    if (std::memcmp(&got[i], &expected[i], sizeof(T)) != 0)
      CHECK(false, "differs at ", i, ": ", +got[i], ", not ", +expected[i], "; ", what);
}

}  // namespace

TEST(quantise_equals_the_definition) {
  Random random(1);
  ristretto::Context reference(1, CpuFeatures{});
  for (int i = 0; i < 120; ++i) {
    const DataType type = any_type(random);
    const auto shape = small_shape(random);
    const int bits = int(random.integer(0, 1) ? bits_of_type(type) : random.integer(1, bits_of_type(type)));
    auto dst = codes_of(type, shape, bits, random);
    Reals src(shape.images, shape.channels, shape.height, shape.width, random);
    QuantiseArguments a;
    a.format = {bits, any_length(random)};
    a.rounding = kRules[random.integer(0, 3)];
    fill(src, random, bits, a.format.fractional_length);
    const DeviceCodes device_dst(*dst);
    const DeviceReals device_src(src);
    a.src = src.tensor, a.dst = dst->view;
    quantise_ref(reference, a);
    a.src = device_src.tensor, a.dst = device_dst.view;
    run_here(a);
    compare(device_dst.memory, dst->memory,
            check::text(text_of(a.dst), " bits ", bits, " fl ", a.format.fractional_length, " rounding ",
                        int(a.rounding)));
  }
}

TEST(quantise_tells_of_a_nan) {
  Random random(2);
  for (const int64_t channels : {1, 3, 40}) {
    Reals src(2, channels, 3, 5, random);
    std::fill(src.memory.begin(), src.memory.end(), 1.0f);
    const DeviceReals device_src(src);
    const DeviceCodes dst(Codes(DataType::i8, {2, 3, 5, channels, 1, 1}, -128, 127));
    QuantiseArguments a{device_src.tensor, dst.view, {8, 3}};
    run_here(a);
    device_src.memory[size_t(random.integer(0, int64_t(src.tensor.image_count()) - 1))] = NAN;
    std::string error;
    test_context().begin_op("data");
    CHECK(cuda::run(test_context(), a));
    try {
      test_context().synchronize();
    } catch (const Error& e) {
      error = e.what();
    }
    CHECK(error.find("data: NaN in the data to be quantised") == 0, error);
  }
}

TEST(weights_and_biases_equal_the_definition) {
  Random random(7);
  ristretto::Context reference(1, CpuFeatures{});
  for (int i = 0; i < 120; ++i) {
    const DataType type = (const DataType[]){DataType::i8, DataType::i16, DataType::i32}[i % 3];
    const int most = type == DataType::i32 ? 32 : bits_of_type(type);
    Reals src(random.integer(0, 9) ? random.integer(1, 3) : 0, random.integer(1, 40), random.integer(1, 9),
              random.integer(1, 9), random);
    QuantiseTensorArguments a;
    a.format = {int(random.integer(0, 1) ? most : random.integer(1, most)), any_length(random)};
    a.rounding = kRules[random.integer(0, 3)];
    fill(src, random, std::min(a.format.bit_width, 20), a.format.fractional_length);
    const DeviceReals device_src(src);
    a.src = a.dst = src.tensor;
    a.dst.type = type;
    a.dst.image_stride = a.src.image_count() + random.integer(0, 3);
    // What lies between the images stays.
    guarded::vector<char> expected(size_t(a.dst.images() * a.dst.image_stride * size_of(type)), 77);
    const Shared<char> got(expected);
    a.dst.data = expected.empty() ? got.data() : expected.data();
    QuantiseTensor::check(a);
    quantise_tensor_ref(reference, a);
    a.src = device_src.tensor, a.dst.data = got.data();
    run_here(a);
    compare(got, expected,
            check::text("type ", int(type), " bits ", a.format.bit_width, " fl ", a.format.fractional_length,
                        " rounding ", int(a.rounding), " shape ", a.src.shape_text()));
  }
}

TEST(a_nan_among_weights_is_told_with_the_op) {
  for (const DataType type : {DataType::i8, DataType::i16, DataType::i32}) {
    const Shared<float> src(guarded::vector<float>{1, -NAN, 300, -7});
    const Shared<int32_t> dst(4);
    QuantiseTensorArguments a{Tensor::of(src.data(), {2, 2}), Tensor::of(nullptr, {2, 2}), {8, 0}};
    a.dst.data = dst.data(), a.dst.type = type;
    const auto error_of = [&] {
      test_context().begin_op("weights");
      CHECK(cuda::run(test_context(), a));
      try {
        test_context().synchronize();
      } catch (const Error& e) {
        return std::string(e.what());
      }
      return std::string("none");
    };
    CHECK_EQUAL(error_of(), std::string("weights: NaN in the data to be quantised"));
    src[1] = 0;
    CHECK_EQUAL(error_of(), std::string("none"));
  }
}

TEST(dequantise_equals_the_definition) {
  Random random(3);
  ristretto::Context reference(1, CpuFeatures{});
  for (int i = 0; i < 120; ++i) {
    const DataType type = any_type(random);
    const auto shape = small_shape(random);
    const auto src = codes_of(type, shape, bits_of_type(type), random);
    Reals dst(shape.images, shape.channels, shape.height, shape.width, random);
    const DeviceCodes device_src(*src);
    const DeviceReals device_dst(dst);
    DequantiseArguments a{src->view, dst.tensor, any_length(random)};
    dequantise_ref(reference, a);
    a.src = device_src.view, a.dst = device_dst.tensor;
    run_here(a);
    compare(device_dst.memory, dst.memory, check::text(text_of(a.src), " fl ", a.fractional_length));
  }
}

TEST(requantise_equals_the_definition) {
  Random random(4);
  ristretto::Context reference(1, CpuFeatures{});
  for (int i = 0; i < 150; ++i) {
    const DataType src_type = any_type(random), dst_type = any_type(random);
    const auto shape = small_shape(random);
    auto dst_shape = small_shape(random);
    dst_shape.images = shape.images, dst_shape.height = shape.height, dst_shape.width = shape.width;
    dst_shape.channels = shape.channels;
    const int bits =
        int(random.integer(0, 1) ? bits_of_type(dst_type) : random.integer(1, bits_of_type(dst_type)));
    const auto src = codes_of(src_type, shape, bits_of_type(src_type), random);
    auto dst = codes_of(dst_type, dst_shape, bits, random);
    RequantiseArguments a;
    a.src_fractional_length = any_length(random);
    a.format = {bits, any_length(random)};
    if (random.integer(0, 3))
      a.format.fractional_length =
          std::clamp(a.src_fractional_length + int(random.integer(-17, 17)), -126, 126);
    a.rounding = kRules[random.integer(0, 3)];
    a.relu = random.integer(0, 1);
    const DeviceCodes device_src(*src), device_dst(*dst);
    a.src = src->view, a.dst = dst->view;
    requantise_ref(reference, a);
    a.src = device_src.view, a.dst = device_dst.view;
    run_here(a);
    compare(device_dst.memory, dst->memory,
            check::text(text_of(a.src), " to ", text_of(a.dst), " fl ", a.src_fractional_length, " to ",
                        a.format.fractional_length, " bits ", bits, " rounding ", int(a.rounding), " relu ",
                        a.relu));
  }
}

TEST(maxima_equal_the_definition) {
  Random random(5);
  ristretto::Context reference(1, CpuFeatures{});
  for (int i = 0; i < 150; ++i) {
    const DataType type = any_type(random);
    const auto shape = small_shape(random);
    const auto src = codes_of(type, shape, bits_of_type(type), random);
    MaxPoolingCodesArguments a;
    a.window = any_window(random);
    const CodeWindow& w = a.window;
    auto dst_shape = small_shape(random);
    dst_shape.images = shape.images, dst_shape.channels = shape.channels;
    dst_shape.height = any_outputs(random, shape.height + 2 * w.pad_h, w.kernel_h, w.stride_h);
    dst_shape.width = any_outputs(random, shape.width + 2 * w.pad_w, w.kernel_w, w.stride_w);
    auto dst = codes_of(type, dst_shape, int(random.integer(2, bits_of_type(type))), random);
    const DeviceCodes device_src(*src), device_dst(*dst);
    a.src = src->view, a.dst = dst->view;
    max_pooling_codes_ref(reference, a);
    a.src = device_src.view, a.dst = device_dst.view;
    run_here(a);
    compare(device_dst.memory, dst->memory, check::text(text_of(a.src), " to ", text_of(a.dst), text_of(w)));
  }
}

TEST(means_equal_the_definition) {
  Random random(6);
  ristretto::Context reference(1, CpuFeatures{});
  for (int i = 0; i < 120; ++i) {
    const DataType type = any_type(random);
    auto shape = small_shape(random);
    shape.width = std::min<int64_t>(shape.width, 12);
    const auto src = codes_of(type, shape, bits_of_type(type), random);
    AveragePoolingCodesArguments a;
    a.window = any_window(random);
    CodeWindow& w = a.window;
    if (random.integer(0, 2) == 0) w = {shape.height, shape.width, 1, 1, 0, 0};  // global
    const int64_t P = any_outputs(random, shape.height + 2 * w.pad_h, w.kernel_h, w.stride_h);
    const int64_t Q = any_outputs(random, shape.width + 2 * w.pad_w, w.kernel_w, w.stride_w);
    Reals dst(shape.images, shape.channels, P, Q, random);
    a.fractional_length = any_length(random);
    const DeviceCodes device_src(*src);
    const DeviceReals device_dst(dst);
    a.src = src->view, a.dst = dst.tensor;
    average_pooling_codes_ref(reference, a);
    a.src = device_src.view, a.dst = device_dst.tensor;
    run_here(a);
    compare(device_dst.memory, dst.memory, check::text(text_of(a.src), " to ", P, ",", Q, text_of(w)));
  }
}
