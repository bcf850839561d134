// The tests' own memory: what touches a byte next to a tensor ends the process.
#include "guarded.h"

#include <sys/wait.h>

#include "check.h"

namespace {

constexpr size_t kCount = 21;

// Whether a process that does `body` with a tensor of kCount elements ends without a fault.
bool survives(void (*body)(volatile float* data)) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stderr)) _exit(2);
    {
      guarded::vector<float> tensor(kCount);
      body(tensor.data());
    }
    _exit(0);
  }
  int status = -1;
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST(what_lies_next_to_a_tensor_may_not_be_touched) {
#if defined(GUARDED_BY_SANITIZER)
  check::skip("the sanitizer guards what the heap holds");
#endif
  const bool end = guarded::Pages::all().side == guarded::Side::end;
  CHECK(survives([](volatile float* data) { data[0] = data[kCount - 1]; }));
  CHECK(!survives([](volatile float* data) { data[kCount] = 1; }));
  CHECK(!survives([](volatile float* data) { data[-1] = 1; }));
  CHECK(survives([](volatile float* data) { data[0] = data[kCount]; }) != end);
  CHECK(survives([](volatile float* data) { data[0] = data[-1]; }) == end);
  const guarded::vector<float> tensor(kCount);  // this case runs on both sides
}
