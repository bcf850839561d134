// What contexts of every kind of device share.
#include "context.h"

namespace ristretto::cuda {

// A label keeps its number for good: graphs hold numbers.
void Context::begin_op(const std::string& label) {
  const auto [entry, added] = ops_.emplace(label, int32_t(labels_.size()) + 1);
  if (added) labels_.push_back(label);
  op_ = entry->second;
}

void Context::settle() {
  const int32_t op = *nan_met_;
  *nan_met_ = 0;
  if (op == 0) return;
  const std::string label = op <= int32_t(labels_.size()) ? labels_[size_t(op - 1)] : "";
  fail(label.empty() ? "" : label + ": ", "NaN in the data to be trimmed");
}

void Context::synchronize() {
  wait();
  settle();
}

}  // namespace ristretto::cuda
