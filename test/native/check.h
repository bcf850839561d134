// The native tests' harness: TEST cases register themselves, CHECK reports file, line and values. A case that
// cannot run here (no reference data, no such instruction set) calls skip(), which prints why. A case with
// guarded memory runs twice: with a page that may not be touched behind its tensors, and with one in front;
// kernels that are emulated once, with the page behind.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "guarded.h"

namespace check {

struct Case {
  const char* name;
  void (*body)();
};
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
struct Registration {
  Registration(const char* name, void (*body)()) { cases().push_back({name, body}); }
};

struct Failure {
  std::string message;
};
struct Skip {
  std::string reason;
};

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}
template <class... Parts>
[[noreturn]] void skip(const Parts&... parts) {
  throw Skip{text(parts...)};
}

// The folder of reference results, or a skip where it is absent.
inline std::string reference_folder() {
  const char* set = std::getenv("RISTRETTO_REFERENCE");
  const std::string folder = set && *set ? set : "../shared";
  const std::string probe = folder + "/reference/README.md";
  if (FILE* f = std::fopen(probe.c_str(), "rb")) {
    std::fclose(f);
    return folder;
  }
  skip("no reference data at ", folder, " (set RISTRETTO_REFERENCE)");
}

}  // namespace check

#define TEST(name)                                                     \
  static void name();                                                  \
  static const ::check::Registration name##_registration(#name, name); \
  static void name()

#define CHECK(condition, ...)                                                                             \
  do {                                                                                                    \
    if (!(condition))                                                                                     \
      throw ::check::Failure{::check::text(__FILE__, ":", __LINE__, ": " #condition " ", ##__VA_ARGS__)}; \
  } while (0)

#define CHECK_EQUAL(actual, expected, ...)                                                        \
  do {                                                                                            \
    const auto& check_a = (actual);                                                               \
    const auto& check_e = (expected);                                                             \
    if (!(check_a == check_e))                                                                    \
      throw ::check::Failure{::check::text(__FILE__, ":", __LINE__, ": " #actual " is ", check_a, \
                                           ", expected ", check_e, " ", ##__VA_ARGS__)};          \
  } while (0)

namespace check {

// Kernels that are emulated take long, and hardly any fault lies in front of a tensor alone.
#if defined(RISTRETTO_EMULATE_X86) || defined(RISTRETTO_CUDA_EMULATED)
constexpr bool kEmulated = true;
#else
constexpr bool kEmulated = false;
#endif

inline void run(const Case& c) {
  guarded::Pages& pages = guarded::Pages::all();
  pages.running = c.name;
  const uint64_t made = pages.made;
  pages.side = guarded::Side::end;
  c.body();
  if (kEmulated || pages.made == made) return;
  pages.side = guarded::Side::start;
  c.body();
}

}  // namespace check

int main() {
  guarded::Pages::all().report_faults();
  int failed = 0, skipped = 0, passed = 0;
  for (const ::check::Case& c : ::check::cases()) {
    try {
      ::check::run(c);
      ++passed;
    } catch (const ::check::Skip& s) {
      ++skipped;
      std::printf("skip  %s: %s\n", c.name, s.reason.c_str());
    } catch (const ::check::Failure& f) {
      ++failed;
      std::printf("FAIL  %s: %s\n", c.name, f.message.c_str());
    } catch (const std::exception& e) {
      ++failed;
      std::printf("FAIL  %s: %s\n", c.name, e.what());
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  if (failed) return 1;
  return passed == 0 && skipped ? 77 : 0;
}
