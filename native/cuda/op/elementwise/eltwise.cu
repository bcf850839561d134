// Sums, products and maxima of up to four tensors in one pass, of more in several, and what goes back to each
// of them.
#include "core/op/elementwise/eltwise.h"

#include "core/op/elementwise/eltwise_gradient.h"
#include "cuda/map.h"
#include "cuda/ops.h"

namespace ristretto::cuda {

namespace {

constexpr size_t kMostSources = 4;

template <int kSources>
struct Combine {
  EltwiseOperation operation;
  float coefficients[kSources];
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[kSources]) const {
    float result = coefficients[0] * x[0];
#pragma unroll
    for (int s = 1; s < kSources; ++s) {
      if (operation == EltwiseOperation::sum)
        result += coefficients[s] * x[s];
      else if (operation == EltwiseOperation::product)
        result *= x[s];
      else
        result = result > x[s] ? result : x[s];
    }
    return result;
  }
};

template <int kSources>
void combine(Context& context, const EltwiseArguments& e) {
  Combine<kSources> function{};
  function.operation = e.operation;
  std::array<Tensor, kSources> srcs;
  for (int s = 0; s < kSources; ++s) {
    srcs[size_t(s)] = e.srcs[size_t(s)];
    function.coefficients[s] = e.coefficients.empty() ? 1.0f : e.coefficients[size_t(s)];
  }
  map<kSources>(context, "eltwise", srcs, e.dst, function);
}

void combine(Context& context, const EltwiseArguments& e) {
  switch (e.srcs.size()) {
    case 1:
      return combine<1>(context, e);
    case 2:
      return combine<2>(context, e);
    case 3:
      return combine<3>(context, e);
    default:
      return combine<kMostSources>(context, e);
  }
}

// Sources in fours, the first of each behind the first four being what came before: in the processor's order.
// It lies in dst, unless a source that is still to come does.
void combine_all(Context& context, const EltwiseArguments& e) {
  const bool in_dst = std::none_of(e.srcs.begin() + kMostSources, e.srcs.end(),
                                   [&](const Tensor& src) { return src.data == e.dst.data; });
  Tensor partial = e.dst;
  if (!in_dst) {
    partial.data = context.scratch(size_t(e.dst.count()) * sizeof(float));
    partial.image_stride = partial.image_count();
  }
  size_t next = 0;
  EltwiseArguments part;
  part.operation = e.operation;
  while (next < e.srcs.size()) {
    part.srcs.clear(), part.coefficients.clear();
    if (next > 0) {
      part.srcs.push_back(partial);
      if (!e.coefficients.empty()) part.coefficients.push_back(1);
    }
    for (; next < e.srcs.size() && part.srcs.size() < kMostSources; ++next) {
      part.srcs.push_back(e.srcs[next]);
      if (!e.coefficients.empty()) part.coefficients.push_back(e.coefficients[next]);
    }
    part.dst = next < e.srcs.size() ? partial : e.dst;
    combine(context, part);
  }
}

struct Scale {
  float coefficient;
  RISTRETTO_DEVICE float at(int64_t, const float (&diff)[1]) const { return coefficient * diff[0]; }
};

// The product of the others and the gradient.
void product_slope(Context& context, const EltwiseGradientArguments& e, size_t d) {
  EltwiseArguments product;
  product.operation = EltwiseOperation::product;
  product.srcs = e.srcs;
  product.srcs.erase(product.srcs.begin() + e.indices[d]);
  product.srcs.push_back(e.dst_diff);
  product.dst = e.src_diffs[d];
  run(context, product);
}

// Which of the sources that were looked at is the greatest.
struct Greatest {
  float value;
  int source;
  RISTRETTO_DEVICE void look_at(float x, int s) {
    if (!(s == 1 ? !(value > x) : x > value)) return;
    value = x;
    source = s;
  }
};
template <int kSources>
struct MaximumSlope {
  int index;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[kSources + 1]) const {
    Greatest greatest{x[0], 0};
#pragma unroll
    for (int s = 1; s < kSources; ++s) greatest.look_at(x[s], s);
    return greatest.source == index ? x[kSources] : 0.0f;
  }
};
template <int kSources>
void maximum_slope(Context& context, const EltwiseGradientArguments& e, size_t d) {
  std::array<Tensor, kSources + 1> srcs;
  std::copy(e.srcs.begin(), e.srcs.end(), srcs.begin());
  srcs.back() = e.dst_diff;
  map<kSources + 1>(context, "eltwise_gradient", srcs, e.src_diffs[d],
                    MaximumSlope<kSources>{int(e.indices[d])});
}

// Of more sources: the greatest of those before and its number, which lie in scratch memory, meet the next.
struct NextValue {
  int source;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[2]) const {
    Greatest greatest{x[0], 0};
    greatest.look_at(x[1], source);
    return greatest.value;
  }
};
struct NextSource {
  int source;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[3]) const {
    Greatest greatest{x[0], int(x[1])};
    greatest.look_at(x[2], source);
    return float(greatest.source);
  }
};
struct SlopeOfSource {
  int index;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[2]) const { return int(x[0]) == index ? x[1] : 0.0f; }
};

// The number of each element's greatest source.
Tensor greatest_sources(Context& context, const EltwiseGradientArguments& e) {
  Tensor value = e.dst_diff, source = e.dst_diff;
  value.image_stride = source.image_stride = value.image_count();
  // Both start at a multiple of 16 bytes.
  const int64_t count = (value.count() + 3) / 4 * 4;
  value.data = context.scratch(size_t(2 * count) * sizeof(float));
  source.data = value.f32() + count;
  context.fill_zero(source.data, size_t(count) * sizeof(float));
  for (size_t s = 1; s < e.srcs.size(); ++s) {
    const Tensor& before = s == 1 ? e.srcs[0] : value;
    map<3>(context, "eltwise_gradient", {before, source, e.srcs[s]}, source, NextSource{int(s)});
    if (s + 1 < e.srcs.size())
      map<2>(context, "eltwise_gradient", {before, e.srcs[s]}, value, NextValue{int(s)});
  }
  return source;
}

void maximum_gradient(Context& context, const EltwiseGradientArguments& e, size_t d, const Tensor& greatest) {
  if (greatest)
    map<2>(context, "eltwise_gradient", {greatest, e.dst_diff}, e.src_diffs[d],
           SlopeOfSource{int(e.indices[d])});
  else if (e.srcs.size() == 1)
    maximum_slope<1>(context, e, d);
  else if (e.srcs.size() == 2)
    maximum_slope<2>(context, e, d);
  else
    maximum_slope<3>(context, e, d);
}

}  // namespace

bool run(Context& context, const EltwiseArguments& e) {
  if (e.srcs.size() <= kMostSources)
    combine(context, e);
  else
    combine_all(context, e);
  return true;
}

bool run(Context& context, const EltwiseGradientArguments& e) {
  Tensor greatest;
  if (e.operation == EltwiseOperation::maximum && e.srcs.size() >= kMostSources)
    greatest = greatest_sources(context, e);
  // The one that lies in dst_diff's place is last.
  for (bool in_place : {false, true})
    for (size_t d = 0; d < e.src_diffs.size(); ++d) {
      if ((e.src_diffs[d].data == e.dst_diff.data) != in_place) continue;
      if (e.operation == EltwiseOperation::product) {
        product_slope(context, e, d);
      } else if (e.operation == EltwiseOperation::maximum) {
        maximum_gradient(context, e, d, greatest);
      } else {
        const float coefficient = e.coefficients.empty() ? 1.0f : e.coefficients[size_t(e.indices[d])];
        map<1>(context, "eltwise_gradient", {e.dst_diff}, e.src_diffs[d], Scale{coefficient});
      }
    }
  return true;
}

}  // namespace ristretto::cuda
