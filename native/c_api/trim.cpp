#include "core/op/trim/trim.h"

#include <cstring>
#include <functional>

#include "call.h"
#include "views.h"

using namespace ristretto;

namespace {

// Neither the same memory nor apart.
bool partly_overlap(const float* a, const float* b, int64_t count) {
  if (a == b || count == 0) return false;
  const std::less<const float*> before;
  return before(a, b) ? before(b, a + count) : before(a, b + count);
}

}  // namespace

uint32_t ristretto_stream(const char* name) { return name ? fnv1a(name, std::strlen(name)) : fnv1a("", 0); }

ristretto_status ristretto_trim(ristretto_context* context, const float* src, float* dst, int64_t count,
                                const ristretto_format* format, const ristretto_random* random) {
  return c_api::call([&] {
    TrimArguments a;
    Context& core = c_api::context_of(context);
    a.src = c_api::span_of(src, count, "src");
    a.dst = c_api::span_of(dst, count, "dst");
    a.format = c_api::format_of(format);
    require(!partly_overlap(src, dst, count), "dst: overlaps src without being src");
    require(a.format.rounding != Rounding::stochastic || random != nullptr,
            "random: is NULL, but the rounding is stochastic");
    if (random) a.random = {random->seed, random->stream, random->step, random->first_element};
    c_api::check_and_run<Trim>(core, a);
  });
}
