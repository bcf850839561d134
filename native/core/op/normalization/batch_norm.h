// batch norm: dst = (src - mean) / sqrt(variance + eps) per channel, by stored statistics or by the batch's
// own.
//
// Stored are running sums as in Caffe: each forward by the batch's statistics multiplies all three by
// `moving_average_fraction`, then adds the mean, the variance times n / (n - 1), and 1. Dividing by the third
// gives the averages; nothing stored (0) means mean 0 and variance 0.
#pragma once

#include "../../context.h"
#include "../../op_fields.h"
#include "../../tensor_view.h"

namespace ristretto {

struct BatchNormArguments {
  Tensor src;                     // (N, C, ...), or (N) with one channel
  Tensor dst;                     // the same shape; may be src
  Tensor mean, variance, weight;  // C, C and 1 elements; written where `update` is set
  Tensor used;                    // or empty; (2, C): gets the means and deviations that were used
  float eps = 1e-5f;
  float moving_average_fraction = 0.999f;
  bool update = false;  // use the batch's statistics and add them to the stored ones

  template <class F>
  static void fields(F& field) {
    using A = BatchNormArguments;
    field("src", &A::src);
    field("dst", &A::dst);
    field("mean", &A::mean).doc("Running sums; the third counts what they hold.");
    field("variance", &A::variance);
    field("weight", &A::weight);
    field("used", &A::used).optional().doc("(2, C): gets the means and deviations that were used.");
    field("eps", &A::eps);
    field("movingAverageFraction", &A::moving_average_fraction);
    field("update", &A::update).doc("Use the batch's statistics and add them to the stored ones.");
  }
};

struct BatchNorm {
  using Arguments = BatchNormArguments;
  static constexpr const char* name = "batchNorm";
  static void check(const Arguments& arguments);
  static void run(Context& context, const Arguments& arguments);
};

}  // namespace ristretto
