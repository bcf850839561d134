// The fields of pooling windows on codes.
#pragma once

#include "core/op/pooling_codes.h"
#include "op_binding.h"

namespace ristretto::binding {

template <class A>
void add_code_window(std::vector<Field<A>>& fields) {
  const auto add = [&fields](const char* name, int64_t CodeWindow::*member, int64_t least) {
    fields.push_back({name, "integer", true, [=](Napi::Value v, A& a, Keep&) {
                        a.window.*member = integer_from(v, least, INT32_MAX);
                      }});
  };
  add("kernelH", &CodeWindow::kernel_h, 1);
  add("kernelW", &CodeWindow::kernel_w, 1);
  add("strideH", &CodeWindow::stride_h, 1);
  add("strideW", &CodeWindow::stride_w, 1);
  add("padH", &CodeWindow::pad_h, 0);
  add("padW", &CodeWindow::pad_w, 0);
}

}  // namespace ristretto::binding
