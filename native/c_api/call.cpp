#include "call.h"

#include <cstdio>

namespace ristretto::c_api {

namespace {
thread_local char last_error[512] = "";
}

ristretto_status failed(ristretto_status status, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return status;
}

}  // namespace ristretto::c_api

const char* ristretto_last_error(void) { return ristretto::c_api::last_error; }
