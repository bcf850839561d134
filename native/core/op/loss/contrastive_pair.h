// What one pair of a contrastive loss loses, from the square of its distance, and the slope of that.
#pragma once

#include <algorithm>
#include <cmath>

#include "../../host_device.h"

namespace ristretto {

struct ContrastivePair {
  float margin;
  bool legacy;

  // Pairs of one kind where the whole part is not 0.
  RISTRETTO_HOST_DEVICE static bool alike(float similar) { return std::fabs(similar) >= 1; }

  // NaN where `similar` is: no kind is meant then, and a plausible loss would hide that.
  RISTRETTO_HOST_DEVICE double lost(float similar, double squares) const {
    if (similar != similar) return similar;
    if (alike(similar)) return squares;
    if (legacy) return std::max(margin - squares, 0.0);
    const double gap = std::max(margin - std::sqrt(squares), 0.0);
    return gap * gap;
  }

  // d loss / d (a - b), as a factor of (a - b).
  RISTRETTO_HOST_DEVICE double slope(float similar, double squares) const {
    if (similar != similar) return similar;
    if (alike(similar)) return 1;
    if (legacy) return margin - squares > 0 ? -1 : 0;
    const double distance = std::sqrt(squares), gap = margin - distance;
    // The original keeps away from dividing by 0 like this.
    return gap > 0 ? -gap / (distance + 1e-4) : 0;
  }
};

}  // namespace ristretto
