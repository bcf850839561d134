// Sums, products and maxima of up to four tensors in one pass, and what goes back to each of them.
#include "core/op/eltwise.h"

#include "core/op/eltwise_gradient.h"
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

struct Scale {
  float coefficient;
  RISTRETTO_DEVICE float at(int64_t, const float (&diff)[1]) const { return coefficient * diff[0]; }
};

// The last source is the gradient.
template <int kSources>
struct ProductSlope {
  int index;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[kSources + 1]) const {
    float others = 1;
#pragma unroll
    for (int s = 0; s < kSources; ++s)
      if (s != index) others *= x[s];
    return others * x[kSources];
  }
};
template <int kSources>
struct MaximumSlope {
  int index;
  RISTRETTO_DEVICE float at(int64_t, const float (&x)[kSources + 1]) const {
    float best = x[0];
    int greatest = 0;
#pragma unroll
    for (int s = 1; s < kSources; ++s) {
      if (!(s == 1 ? !(best > x[s]) : x[s] > best)) continue;
      best = x[s];
      greatest = s;
    }
    return greatest == index ? x[kSources] : 0.0f;
  }
};

template <int kSources>
void slopes(Context& context, const EltwiseGradientArguments& e, size_t d) {
  std::array<Tensor, kSources + 1> srcs;
  std::copy(e.srcs.begin(), e.srcs.end(), srcs.begin());
  srcs.back() = e.dst_diff;
  const int index = int(e.indices[d]);
  if (e.operation == EltwiseOperation::product)
    map<kSources + 1>(context, "eltwise_gradient", srcs, e.src_diffs[d], ProductSlope<kSources>{index});
  else
    map<kSources + 1>(context, "eltwise_gradient", srcs, e.src_diffs[d], MaximumSlope<kSources>{index});
}

void gradient(Context& context, const EltwiseGradientArguments& e, size_t d) {
  if (e.operation == EltwiseOperation::sum) {
    const float coefficient = e.coefficients.empty() ? 1.0f : e.coefficients[size_t(e.indices[d])];
    map<1>(context, "eltwise_gradient", {e.dst_diff}, e.src_diffs[d], Scale{coefficient});
  } else if (e.srcs.size() == 1) {
    slopes<1>(context, e, d);
  } else if (e.srcs.size() == 2) {
    slopes<2>(context, e, d);
  } else {
    slopes<3>(context, e, d);
  }
}

}  // namespace

bool run(Context& context, const EltwiseArguments& e) {
  switch (e.srcs.size()) {
    case 1:
      combine<1>(context, e);
      return true;
    case 2:
      combine<2>(context, e);
      return true;
    case 3:
      combine<3>(context, e);
      return true;
    case kMostSources:
      combine<4>(context, e);
      return true;
    default:
      return false;
  }
}

bool run(Context& context, const EltwiseGradientArguments& e) {
  if (e.operation != EltwiseOperation::sum && e.srcs.size() >= kMostSources) return false;
  // The one that lies in dst_diff's place is last.
  for (bool in_place : {false, true})
    for (size_t d = 0; d < e.src_diffs.size(); ++d)
      if ((e.src_diffs[d].data == e.dst_diff.data) == in_place) gradient(context, e, d);
  return true;
}

}  // namespace ristretto::cuda
