// gemm: C = alpha * op(A) * op(B) + beta * C in float32, row-major.
#pragma once

#include <vector>

#include "../../context.h"
#include "../../dispatch.h"

namespace ristretto {

struct GemmArguments {
  bool transpose_a = false, transpose_b = false;
  int64_t m = 0, n = 0, k = 0;  // op(A) is m x k, op(B) is k x n, C is m x n
  float alpha = 1, beta = 0;    // with beta = 0 what C held is not read
  const float* a = nullptr;
  int64_t lda =
      0;  // floats from one stored row of A to the next (a stored row has k elements, m with transpose_a)
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;
};

struct Gemm {
  using Arguments = GemmArguments;
  // Throws Error when a leading dimension is shorter than its row or a size is negative.
  static void check(const Arguments& arguments);
  // On all of the context's threads; uses the workers' scratch and slot 1 of the shared. Results do not
  // depend on the threads.
  static void run(Context& context, const Arguments& arguments);
  static const std::vector<KernelRow<Arguments>>& rows();
};

void gemm_ref(Context& context, const GemmArguments& arguments);

}  // namespace ristretto
