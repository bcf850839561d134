// The fields of pooling windows on codes.
#pragma once

#include <array>

#include "core/op/pooling_codes.h"
#include "op_binding.h"

namespace ristretto::binding {

// Of the kernel's height and width, the stride's and the padding's.
using CodeWindowNames = std::array<const char*, 6>;

template <class A>
void add_code_window(std::vector<Field<A>>& fields,
                     const CodeWindowNames& names = {"kernelH", "kernelW", "strideH", "strideW", "padH",
                                                     "padW"}) {
  const auto add = [&fields](const char* name, int64_t CodeWindow::*member, int64_t least) {
    fields.push_back({name, "integer", true, [=](Napi::Value v, A& a, Keep&) {
                        a.window.*member = integer_from(v, least, INT32_MAX);
                      }});
  };
  add(names[0], &CodeWindow::kernel_h, 1);
  add(names[1], &CodeWindow::kernel_w, 1);
  add(names[2], &CodeWindow::stride_h, 1);
  add(names[3], &CodeWindow::stride_w, 1);
  add(names[4], &CodeWindow::pad_h, 0);
  add(names[5], &CodeWindow::pad_w, 0);
}

}  // namespace ristretto::binding
