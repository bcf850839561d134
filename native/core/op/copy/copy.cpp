#include "copy.h"

#include <cstring>

#include "../../error.h"

namespace ristretto {

void Copy::check(const Arguments& a) {
  require(a.src.data && a.dst.data, "copy: src or dst is missing");
  require(a.src.type == a.dst.type, "copy: src and dst have different types");
  require(a.src.contiguous() && a.dst.contiguous(), "copy: src and dst must have no gaps");
  require(a.src.count() == a.dst.count(), "copy: src ", a.src.shape_text(), " and dst ", a.dst.shape_text(),
          " have different counts");
}

void Copy::run(Context& context, const Arguments& a) {
  const int64_t bytes = a.src.count() * int64_t(size_of(a.src.type));
  constexpr int64_t kGrain = int64_t{1} << 18;
  context.pool.for_range(bytes, kGrain, [&](int64_t begin, int64_t end, int) {
    std::memcpy(static_cast<char*>(a.dst.data) + begin, static_cast<const char*>(a.src.data) + begin,
                size_t(end - begin));
  });
}

}  // namespace ristretto
