// Ordered rows of kernels for one op: the first that supports the problem on this machine runs it. The last
// row is the definition (`_ref`) and supports everything.
#pragma once

#include <cstring>
#include <vector>

#include "context.h"
#include "error.h"

namespace ristretto {

template <class Arguments>
struct KernelRow {
  const char* name;
  bool (*supports)(const Arguments& arguments, const CpuFeatures& features);
  void (*run)(Context& context, const Arguments& arguments);
};

template <class Arguments>
const KernelRow<Arguments>& select_kernel(const std::vector<KernelRow<Arguments>>& rows,
                                          const Arguments& arguments, const CpuFeatures& features) {
  if (features.reference_only) return rows.back();
  for (const KernelRow<Arguments>& row : rows)
    if (row.supports(arguments, features)) return row;
  fail("no kernel supports this problem");
}

}  // namespace ristretto
