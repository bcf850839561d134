// What the forms of Winograd's F(4x4, 3x3) share: tile sizes and the kernels' side of the transform, in
// double.
#pragma once

#include <cstdint>

#include "../../cpu/float_kernels.h"

namespace ristretto::winograd {

constexpr int64_t kTile = 4, kPatch = 6, kPositions = kPatch * kPatch;

inline int64_t tiles_along(int64_t pixels) { return (pixels + kTile - 1) / kTile; }

// Strides between positions are odd multiples of a cache line: 36 streams would else share a few cache sets.
inline int64_t spread(int64_t floats) { return ((floats + 15) / 16 | 1) * 16; }

// G: row i evaluates a kernel line at point i, divided by the product of its distances to the other points.
struct KernelTransform {
  double g[kPatch][3];
  KernelTransform() {
    constexpr double a = WinogradPoints::kNear, b = WinogradPoints::kFar,
                     points[kPatch - 1] = {0, a, -a, b, -b};
    for (int i = 0; i < kPatch - 1; ++i) {
      double distance = 1;
      for (int j = 0; j < kPatch - 1; ++j)
        if (j != i) distance *= points[i] - points[j];
      for (int power = 0; power < 3; ++power)
        g[i][power] = (power == 0 ? 1 : power == 1 ? points[i] : points[i] * points[i]) / distance;
    }
    g[kPatch - 1][0] = g[kPatch - 1][1] = 0;
    g[kPatch - 1][2] = 1;
  }

  // The 36 transformed weights of one 3x3 kernel: G k G^T.
  void operator()(const float* k, double (&u)[kPatch][kPatch]) const {
    double rows[kPatch][3];
    for (int i = 0; i < kPatch; ++i)
      for (int j = 0; j < 3; ++j) rows[i][j] = g[i][0] * k[j] + g[i][1] * k[3 + j] + g[i][2] * k[6 + j];
    for (int i = 0; i < kPatch; ++i)
      for (int j = 0; j < kPatch; ++j)
        u[i][j] = rows[i][0] * g[j][0] + rows[i][1] * g[j][1] + rows[i][2] * g[j][2];
  }

  // The transpose, of `Lanes` kernels side by side: k = G^T u G.
  template <int Lanes>
  void transposed(const double (&u)[kPositions][Lanes], double (&k)[9][Lanes]) const {
    double rows[3][kPatch][Lanes] = {};
    for (int r = 0; r < 3; ++r)
      for (int i = 0; i < kPatch; ++i)
        for (int j = 0; j < kPatch; ++j)
          for (int l = 0; l < Lanes; ++l) rows[r][j][l] += g[i][r] * u[i * kPatch + j][l];
    for (int r = 0; r < 3; ++r)
      for (int s = 0; s < 3; ++s)
        for (int l = 0; l < Lanes; ++l) {
          double sum = 0;
          for (int j = 0; j < kPatch; ++j) sum += g[j][s] * rows[r][j][l];
          k[r * 3 + s][l] = sum;
        }
  }
};

}  // namespace ristretto::winograd
