// What contexts of every kind of device share.
#include "context.h"

namespace ristretto::cuda {

void Context::begin_op(std::string label) { labels_.push_back(std::move(label)); }

void Context::settle() {
  const int32_t op = *nan_met_;
  *nan_met_ = 0;
  std::string label = op > 0 && op <= int32_t(labels_.size()) ? labels_[size_t(op - 1)] : "";
  labels_.clear();
  require(op == 0, label.empty() ? "" : label + ": ", "NaN in the data to be trimmed");
}

void Context::synchronize() {
  try {
    wait();
  } catch (...) {
    labels_.clear();
    throw;
  }
  settle();
}

}  // namespace ristretto::cuda
