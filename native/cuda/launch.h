// Starts a kernel: on a device's stream, or in the host executor. Checks the launch, and names the kernel in
// the error where it fails; what fails while a kernel runs is met by the next Context::synchronize.
#pragma once

#include <cstddef>

#include "context.h"
#include "executor.h"
#include "lanes.h"

namespace ristretto::cuda {

#if defined(__CUDACC__)

template <class... Parameters, class... Arguments>
void launch(Context& context, const char* name, const Grid& grid, int threads, size_t shared_bytes,
            void (*kernel)(Parameters...), const Arguments&... arguments) {
  // What a block gets without being asked: 48 KB less what the system keeps.
  if (shared_bytes > (size_t{40} << 10)) {
    const cudaError_t allowed =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared_bytes));
    context.require_success(int(allowed), name, "shared memory");
  }
  kernel<<<dim3(unsigned(grid.x), unsigned(grid.y), unsigned(grid.z)), unsigned(threads), shared_bytes,
           static_cast<cudaStream_t>(context.stream())>>>(arguments...);
  context.require_success(int(cudaGetLastError()), name, "launch");
}

#else

template <class... Parameters, class... Arguments>
void launch(Context& context, const char* name, const Grid& grid, int threads, size_t shared_bytes,
            void (*kernel)(Parameters...), const Arguments&... arguments) {
  context.require_success(shared_bytes <= context.device().shared_bytes ? 0 : 1, name, "launch");
  context.carry_out([=, &context] {
    try {
      executor::run(
          grid, threads, shared_bytes, [&] { kernel(arguments...); }, context.next_seed());
    } catch (const Error& e) {
      fail("kernel ", name, ": ", e.what());
    }
  });
}

#endif

}  // namespace ristretto::cuda
