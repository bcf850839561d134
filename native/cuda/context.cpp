// What devices of every kind share.
#include "context.h"

namespace ristretto::cuda {

DeviceInfo usable_device(int id) {
  std::string why;
  const std::vector<DeviceInfo> all = devices(why);
  require(!all.empty(), "no GPU can be used: ", why);
  require(id >= 0 && id < int(all.size()), "there is no GPU ", id, ": this machine has ", all.size());
  const DeviceInfo& info = all[size_t(id)];
  require(info.unusable.empty(), "GPU ", id, " (", info.name, ") cannot be used: ", info.unusable);
  return info;
}

void ManagedPool::free(void* block) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto given = given_.find(block);
  if (given == given_.end()) return;
  used_ -= given->second;
  keep(block, given->second);
  given_.erase(given);
}

size_t ManagedPool::used() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return used_;
}

// A label keeps its number for good: graphs hold numbers.
void Context::begin_op(const std::string& label) {
  const auto [entry, added] = ops_.emplace(label, int32_t(labels_.size()) + 1);
  if (added) labels_.push_back(label);
  op_ = entry->second;
}

void Context::settle() {
  static const char* const kFaults[] = {
      "NaN in the data to be trimmed", "a label is not a class", "NaN in the data to be quantised",
      "weights take more bits than was said", "an index is outside the table's rows"};
  const int32_t met = *nan_met_;
  *nan_met_ = 0;
  const int32_t op = met & ((1 << NanReport::kFaultShift) - 1), fault = met >> NanReport::kFaultShift;
  if (met == 0) return;
  const std::string label = op > 0 && op <= int32_t(labels_.size()) ? labels_[size_t(op - 1)] : "";
  fail(label.empty() ? "" : label + ": ", kFaults[fault]);
}

void Context::synchronize() {
  wait();
  settle();
}

}  // namespace ristretto::cuda
