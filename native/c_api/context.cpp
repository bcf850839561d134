#include <thread>

#include "call.h"
#include "views.h"

using namespace ristretto;

ristretto_status ristretto_context_create(int32_t threads, const char* instruction_set,
                                          ristretto_context** context) {
  return c_api::call([&] {
    require(context != nullptr, "context: is NULL");
    *context = nullptr;
    require(threads >= 0 && threads <= 1024, "threads: ", threads, " is not in 0..1024");
    const int processors = int(std::thread::hardware_concurrency());
    const int count = threads ? threads : processors ? processors : 1;
    *context =
        new ristretto_context{Context(count, limit_cpu_features(instruction_set ? instruction_set : "auto"))};
  });
}

void ristretto_context_destroy(ristretto_context* context) { delete context; }

int32_t ristretto_context_threads(const ristretto_context* context) {
  return context ? context->core.pool.threads() : 0;
}
