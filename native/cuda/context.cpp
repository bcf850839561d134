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
  static const char* const kFaults[] = {"NaN in the data to be trimmed", "a label is not a class"};
  const int32_t met = *nan_met_;
  *nan_met_ = 0;
  const int32_t op = met & ((1 << NanReport::kFaultShift) - 1), fault = met >> NanReport::kFaultShift;
  if (op == 0) return;
  const std::string label = op <= int32_t(labels_.size()) ? labels_[size_t(op - 1)] : "";
  fail(label.empty() ? "" : label + ": ", kFaults[fault]);
}

void Context::synchronize() {
  wait();
  settle();
}

}  // namespace ristretto::cuda
