#include "reduce.h"

#include <cmath>

#include "../check_tensor.h"

namespace ristretto {

void Reduce::check(const Arguments& r) {
  require_contiguous(r.src, "src");
  require_contiguous(r.dst, "dst");
  const int64_t rows = r.dst.count();
  require(rows == 0 ? r.src.count() == 0 : r.src.count() % rows == 0, rows, " rows do not divide src ",
          r.src.shape_text());
}

namespace {

template <class Term>
double sum_of(const float* x, int64_t count, const Term& term) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += term(double(x[i]));
  return sum;
}

}  // namespace

void Reduce::run(Context& context, const Arguments& r) {
  const int64_t rows = r.dst.count();
  if (rows == 0) return;
  const int64_t length = r.src.count() / rows;
  constexpr int64_t kGrain = 1 << 14;
  context.pool.for_range(rows, kGrain / (length + 1) + 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = r.src.f32() + row * length;
      double sum = 0;
      switch (r.operation) {
        case ReduceOperation::sum:
          sum = sum_of(x, length, [](double v) { return v; });
          break;
        case ReduceOperation::absolute_sum:
          sum = sum_of(x, length, [](double v) { return std::fabs(v); });
          break;
        case ReduceOperation::square_sum:
          sum = sum_of(x, length, [](double v) { return v * v; });
          break;
      }
      r.dst.f32()[row] = r.coefficient * float(sum);
    }
  });
}

}  // namespace ristretto
