#include "sum_of_squares.h"

#include <algorithm>
#include <cstring>

#include "../check_tensor.h"

namespace ristretto {
namespace {

// Elements of one partial sum. The cut depends on the shapes alone.
constexpr int64_t kPart = 1 << 14;
// Sums that run side by side within a part: one alone would wait for each addition.
constexpr int kLanes = 8;

double sum_part(const float* x, int64_t count) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += double(x[i + lane]) * double(x[i + lane]);
  for (int lane = 0; i < count; ++i, ++lane) lanes[lane] += double(x[i]) * double(x[i]);
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

int64_t parts_of(const Tensor& tensor) { return (tensor.count() + kPart - 1) / kPart; }

}  // namespace

void SumOfSquares::check(const Arguments& s) {
  for (const Tensor& src : s.srcs) require_contiguous(src, "a source");
  require(s.dst.data != nullptr && s.dst.type == DataType::i32 && s.dst.contiguous() && s.dst.count() == 2,
          "dst takes a float64: int32, 2 elements");
}

void SumOfSquares::run(Context& context, const Arguments& s) {
  int64_t parts = 0;
  for (const Tensor& src : s.srcs) parts += parts_of(src);
  auto* sums = static_cast<double*>(context.shared_scratch(sizeof(double) * size_t(parts + 1)));
  int64_t first = 0;
  for (const Tensor& src : s.srcs) {
    const int64_t count = src.count();
    context.pool.for_range(parts_of(src), 4, [&](int64_t begin, int64_t end, int) {
      for (int64_t part = begin; part < end; ++part)
        sums[first + part] = sum_part(src.f32() + part * kPart, std::min(kPart, count - part * kPart));
    });
    first += parts_of(src);
  }
  double sum = 0;
  for (int64_t part = 0; part < parts; ++part) sum += sums[part];
  std::memcpy(s.dst.data, &sum, sizeof sum);
}

}  // namespace ristretto
