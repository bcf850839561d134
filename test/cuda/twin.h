// One op on the device and on the processor, each on tensors of its own with the same values.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/format/float_bits.h"
#include "cuda/ops.h"
#include "device.h"

namespace ristretto::cuda {

// From -8 to 8, with zeros of both signs.
inline guarded::vector<float> random_values(int64_t count, uint32_t state) {
  guarded::vector<float> all(static_cast<size_t>(count));
  for (float& value : all) {
    state = state * 1664525u + 1013904223u;
    value = float(int32_t(state) >> 8) / float(1 << 20);
    if (state % 23 == 0) value = state & 64 ? 0.0f : -0.0f;
  }
  return all;
}

// A tensor that exists twice. Images are `gap` elements further apart than they have to be; the first starts
// `offset` elements behind a multiple of 256 bytes.
class Twin {
 public:
  Twin(std::initializer_list<int64_t> dims, uint32_t seed, int64_t gap = 0, int64_t offset = 0)
      : Twin(Empty{}, dims, gap, offset) {
    fill(random_values(int64_t(here_->size()), seed));
  }
  Twin(std::initializer_list<int64_t> dims, const guarded::vector<float>& values)
      : Twin(Empty{}, dims, 0, 0) {
    fill(values);
  }

  Tensor tensor(bool device) const {
    Tensor t = shape_;
    t.data = (device ? there_ : here_)->data() + offset_;
    return t;
  }

  // All elements, those in the gaps too, which no op may touch.
  template <class... Where>
  void check_equal(const Where&... where) const {
    for (size_t i = 0; i < here_->size(); ++i)
      CHECK_EQUAL(bits_of((*there_)[i]), bits_of((*here_)[i]), "element ", i, " ", (*there_)[i], " for ",
                  (*here_)[i], " ", where...);
  }
  // Within `tolerance` times the greater of the value and 1.
  template <class... Where>
  void check_close(double tolerance, const Where&... where) const {
    for (size_t i = 0; i < here_->size(); ++i) {
      const double expected = (*here_)[i], value = (*there_)[i];
      if (std::isnan(expected) && std::isnan(value)) continue;
      CHECK(
          value == expected || std::fabs(value - expected) <= tolerance * std::max(1.0, std::fabs(expected)),
          "element ", i, " ", value, " for ", expected, " ", where...);
    }
  }

 private:
  struct Empty {};
  Twin(Empty, std::initializer_list<int64_t> dims, int64_t gap, int64_t offset)
      : shape_(Tensor::of(nullptr, dims)), offset_(offset) {
    shape_.image_stride += gap;
    const int64_t count = std::max<int64_t>(0, shape_.images() * shape_.image_stride - gap) + offset;
    here_ = std::make_shared<Shared<float>>(size_t(count));
    there_ = std::make_shared<Shared<float>>(size_t(count));
  }
  void fill(const guarded::vector<float>& values) {
    std::copy(values.begin(), values.end(), here_->begin());
    std::copy(values.begin(), values.end(), there_->begin());
  }
  Tensor shape_;
  int64_t offset_;
  std::shared_ptr<Shared<float>> here_, there_;
};

// arguments(device) gives those of one side.
template <class Op, class Arguments>
void run_both(const Arguments& arguments) {
  static ristretto::Context processor(1, {});
  const auto on_processor = arguments(false);
  Op::check(on_processor);
  Op::run(processor, on_processor);
  CHECK(cuda::run(test_context(), arguments(true)), "the device left the op to the processor");
  test_context().synchronize();
}

}  // namespace ristretto::cuda
